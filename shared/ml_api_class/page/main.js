// Puts the page together, once its data is read.

function fillFilters(data, selection) {
  const option = (value, text) => element("option", { value }, text);
  const sections = [...new Set(data.students.section)].filter((each) => each !== "").sort();
  byId("filter-section").append(option("", "all"), ...sections.map((each) => option(each, each)));
  const parts = data.parts.map((part, number) => ({ part, number }));
  const used = new Set(data.tasks.map((task) => task.part));
  byId("filter-part").append(option("", "all"), ...parts
    .filter(({ number }) => used.has(number))
    .map(({ part, number }) => option(String(number), part)));
  const states = [...new Set(data.students.state)].sort();
  byId("filter-state").append(option("", "all"), ...states.map((each) => option(each, each)));
  if (data.students.late.some((each) => each)) byId("filter-state").append(option("late", "late"));
}

async function main() {
  const data = new ClassData(await inflate(byId("data").textContent));
  const selection = new Selection(data);
  const submission = new SubmissionView(data, selection);
  const open = (student, task) => submission.open(student, task);
  const map = new HeatMap(data, selection, open);
  const mistakes = new MistakesView(data, selection, open);
  fillFilters(data, selection);
  const redraw = () => {
    drawTotals(data, selection);
    map.redraw();
    mistakes.redraw();
  };
  const filters = byId("filters");
  const read = () => {
    selection.text = byId("filter-text").value;
    selection.section = byId("filter-section").value;
    selection.part = byId("filter-part").value;
    selection.state = byId("filter-state").value;
    selection.update();
    byId("scroller").scrollTop = 0;
    redraw();
  };
  filters.addEventListener("input", read);
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.addEventListener("reset", () => setTimeout(read));
  redraw();
  drawChecks(data);
  drawOthers(data, open);
  // For who measures: when the first picture is on the screen, and the page takes input.
  requestAnimationFrame(() => setTimeout(() => {
    document.documentElement.dataset.ready = Math.round(performance.now());
  }));
}

main().catch((error) => {
  byId("shown").textContent = `This browser cannot show the page: ${error}`;
});
