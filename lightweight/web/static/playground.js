// Streams a chat completion through the public API, as any client would.
const root = document.querySelector("[data-playground]");
const field = (id) => document.getElementById(id);
const part = (name) => root.querySelector(`[data-${name}]`);
const KEY = "lw-your-key-here";

const asked = () => {
  const messages = [{ role: "user", content: field("prompt").value }];
  if (field("system").value.trim()) messages.unshift({ role: "system", content: field("system").value });
  return { model: field("model").value, messages, stream: true, stream_options: { include_usage: true } };
};

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

const showCurl = () => {
  part("curl").textContent = [
    `curl ${quoted(`${root.dataset.base}/chat/completions`)} \\`,
    `  -H 'Authorization: Bearer ${KEY}' \\`,
    "  -H 'Content-Type: application/json' \\",
    `  -d ${quoted(JSON.stringify(asked(), null, 2))}`,
  ].join("\n");
};

// The data of each whole event; what is left of the last one waits for its end.
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line.startsWith("data: ")) yield line.slice(6).trim();
  }
}

const cost = (usage) => {
  const price = field("model").selectedOptions[0].dataset;
  if (price.input === undefined) return "no price";
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
  const exact = (usage.prompt_tokens - cached) * price.input + cached * price.cached + usage.completion_tokens * price.output;
  return `$${(Math.ceil(exact / 1e6) / 1e6).toFixed(6)}`;
};

const say = (state) => { part("state").textContent = state; };

const refusal = async (answer) => {
  const told = await answer.json().catch(() => null);
  return `${answer.status}: ${told?.error?.message ?? "The server gave no reason."}`;
};

let running = null;

const stream = async (answer, began) => {
  let first = null;
  let usage = null;
  for await (const data of events(answer.body)) {
    if (data === "[DONE]") break;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new Error(chunk.error.message);
    const delta = chunk.choices?.[0]?.delta ?? {};
    const text = delta.content ?? "";
    if (first === null && (text || delta.reasoning_content)) {
      first = performance.now();
      part("first").textContent = `${Math.round(first - began)} ms`;
      say("Streaming");
    }
    part("answer").append(text);
    usage = chunk.usage ?? usage;
  }
  if (!usage) return;
  part("prompt").textContent = usage.prompt_tokens;
  part("completion").textContent = usage.completion_tokens;
  part("cost").textContent = cost(usage);
  const seconds = (performance.now() - (first ?? began)) / 1000;
  if (seconds > 0) part("speed").textContent = (usage.completion_tokens / seconds).toFixed(1);
};

const send = async () => {
  running = new AbortController();
  part("answer").replaceChildren();
  for (const name of ["first", "speed", "prompt", "completion", "cost"]) part(name).textContent = "–";
  part("request-id").textContent = "";
  part("send").disabled = true;
  part("stop").hidden = false;
  say("Waiting");
  const began = performance.now();
  try {
    const answer = await fetch("/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${field("key").value.trim()}` },
      body: JSON.stringify(asked()),
      signal: running.signal,
    });
    part("request-id").textContent = answer.headers.get("x-request-id") ?? "";
    if (!answer.ok) throw new Error(await refusal(answer));
    await stream(answer, began);
    say("Done");
  } catch (problem) {
    say(problem.name === "AbortError" ? "Stopped" : "Failed");
    if (problem.name !== "AbortError") part("answer").append(problem.message);
  } finally {
    part("send").disabled = false;
    part("stop").hidden = true;
    running = null;
  }
};

if (root) {
  root.querySelector("[data-ask]").addEventListener("submit", (event) => { event.preventDefault(); if (!running) send(); });
  part("stop").addEventListener("click", () => running?.abort());
  field("prompt").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) part("ask").requestSubmit();
  });
  root.addEventListener("input", showCurl);
  showCurl();
}
