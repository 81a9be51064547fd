// Draws each [data-chart] with uPlot, in the colours of the page.
// A canvas knows no light-dark(): an element tells what a colour of the theme is now.
const probe = document.body.appendChild(document.createElement("i"));
probe.hidden = true;
const ink = (name) => {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
};

const short = (number) => {
  if (number === null || number === undefined) return "–";
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 }).format(number);
};
const written = {
  requests: short,
  tokens: short,
  usd: (number) => (number === null || number === undefined ? "–" : `$${number < 1 ? number.toFixed(4) : short(number)}`),
};

const COLOURS = ["--accent", "--series-2", "--series-3", "--good", "--bad", "--edge"];

const options = (chart, width) => {
  const say = written[chart.unit];
  const axis = { stroke: ink("--soft"), font: "12px system-ui, sans-serif", grid: { stroke: ink("--line"), width: 1 }, ticks: { show: false } };
  const bars = uPlot.paths.bars({ size: [0.7, 28], radius: 0.15 });
  const alone = chart.series.length === 1;
  return {
    width,
    height: 240,
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
    cursor: { drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { range: (_, low, high) => (alone ? [low - 43200, high + 43200] : [low, high]) }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.08 : 1] } },
    axes: [
      { ...axis, grid: { show: false }, space: 64, values: (_, at) => at.map((day) => new Date(day * 1000).toLocaleDateString("en", { month: "short", day: "numeric", timeZone: "UTC" })) },
      { ...axis, size: 56, values: (_, numbers) => numbers.map(say) },
    ],
    series: [
      { value: (_, at) => (at ? new Date(at * 1000).toISOString().slice(0, 10) : "–"), label: "Day" },
      ...chart.series.map((line, place) => {
        const colour = ink(COLOURS[place % COLOURS.length]);
        const shape = alone ? { paths: bars, fill: colour, points: { show: false } } : { width: 2, points: { show: chart.days.length < 3 } };
        return { label: line.name, stroke: colour, value: (_, number) => say(number), ...shape };
      }),
    ],
  };
};

const draw = (place) => {
  const chart = JSON.parse(place.dataset.chart);
  // uPlot writes labels as HTML: names come from people.
  const clean = (name) => name.replace(/[<>&"]/g, "");
  chart.series.forEach((line) => { line.name = clean(line.name); });
  place.replaceChildren();
  new uPlot(options(chart, place.clientWidth), [chart.days, ...chart.series.map((line) => line.values)], place);
};

const drawAll = () => document.querySelectorAll("[data-chart]").forEach(draw);

let waiting;
addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(drawAll, 150); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
document.addEventListener("htmx:after:swap", drawAll);
drawAll();
