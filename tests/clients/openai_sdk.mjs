// What a Node program does with OpenAI's SDK: base URL and key from the environment.
import OpenAI from "openai";

const client = new OpenAI({ maxRetries: 0 });
const messages = [{ role: "user", content: "Hello!" }];
const tools = [
  { type: "function", function: { name: "weather", parameters: { type: "object", properties: {} } } },
];

const told = {};
told.models = (await client.models.list()).data.map((model) => model.id);

const whole = await client.chat.completions.create({ model: "renamed", messages });
told.whole = whole.choices[0].message.content;

const stream = client.chat.completions.stream({ model: "renamed", messages });
told.streamed = await stream.finalContent();

const withTools = client.chat.completions.stream({ model: "renamed", messages, tools });
const final = await withTools.finalChatCompletion();
told.tools = final.choices[0].message.tool_calls.map((call) => [call.id, call.function.arguments]);

try {
  await client.chat.completions.create({ model: "no-such-model", messages });
} catch (error) {
  told.missing = [error.constructor.name, error.code, error.param, Boolean(error.requestID)];
}
try {
  const broken = await client.chat.completions.create({ model: "renamed", messages, stream: true });
  for await (const chunk of broken) void chunk;
} catch (error) {
  told.broken = [error instanceof OpenAI.APIError, error.code];
}
console.log(JSON.stringify(told));
