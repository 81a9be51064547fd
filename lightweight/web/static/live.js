// What is under way, told by the server about every second.
const place = document.querySelector("[data-live]");

if (place) {
  const source = new EventSource(place.dataset.live);
  source.onmessage = (event) => {
    const now = JSON.parse(event.data);
    place.classList.toggle("on", now.calls > 0);
    const where = now.workers > 1 ? ` ${now.whole ? "in" : "on one of"} ${now.workers} workers` : "";
    place.querySelector("[data-live-text]").textContent =
      `${now.calls} in flight, ${now.streams} streaming${where}`;
  };
  addEventListener("pagehide", () => source.close());
}
