// Search while one types, in an index that is fetched once; "/" begins.
const form = document.querySelector("form.search");
const field = form.querySelector("input");
const list = form.querySelector("[data-found]");
const count = form.querySelector("[data-count]");
const MOST = 20;
let index;

const read = () => {
  index ??= fetch(form.dataset.index).then((answer) => answer.json());
  return index;
};

const found = (entries, question) => {
  const words = question.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  return entries
    .map((entry) => ({ entry, title: entry.title.toLowerCase(), text: entry.text.toLowerCase() }))
    .filter(({ title, text }) => words.every((word) => title.includes(word) || text.includes(word)))
    .map((each) => ({ ...each, score: words.filter((word) => each.title.includes(word)).length }))
    .sort((one, other) => other.score - one.score)
    .slice(0, MOST)
    .map(({ entry }) => entry);
};

const hide = () => { list.hidden = true; };

const show = async () => {
  const question = field.value;
  const entries = found(await read(), question);
  if (question !== field.value) return;
  list.replaceChildren(...entries.map((entry) => {
    const link = document.createElement("a");
    link.href = form.dataset.up + entry.place;
    link.textContent = entry.title;
    const item = document.createElement("li");
    item.append(link);
    return item;
  }));
  list.hidden = !entries.length;
  count.textContent = question.trim() ? `${entries.length} found` : "";
};

const step = (event, by) => {
  const stops = [field, ...list.querySelectorAll("a")];
  const next = stops[stops.indexOf(document.activeElement) + by];
  if (!next || list.hidden) return;
  event.preventDefault();
  next.focus();
};

field.addEventListener("input", show);
field.addEventListener("focus", read);
form.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" && list.hidden) show();
  else if (event.key === "ArrowDown") step(event, 1);
  else if (event.key === "ArrowUp") step(event, -1);
  else if (event.key === "Escape") { hide(); field.focus(); }
});
form.addEventListener("focusout", (event) => { if (!form.contains(event.relatedTarget)) hide(); });
list.addEventListener("click", hide);
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  field.focus();
  field.select();
});
