// Totals and their distribution, the checks, and who is late, not graded or missing.

const BINS = 10;

function drawTotals(data, selection) {
  const scores = [];
  let late = 0;
  let missing = 0;
  for (const student of selection.shown) {
    late += data.students.late[student];
    if (selection.totals[student] >= 0) scores.push(selection.totals[student]);
    else missing += 1;
  }
  scores.sort((a, b) => a - b);
  const all = data.size.toLocaleString("en");
  byId("shown").textContent =
    `${selection.shown.length.toLocaleString("en")} of ${all} students shown.`;
  let text = `${counted(scores.length, "graded", "graded")}, ${missing} without a grade, ${late} late.`;
  if (scores.length > 0) {
    const mean = scores.reduce((sum, each) => sum + each, 0) / scores.length;
    const half = scores.length >> 1;
    const median = scores.length % 2 ? scores[half] : (scores[half - 1] + scores[half]) / 2;
    text += ` Mean ${mean.toFixed(1)}, median ${median}, of ${selection.maximum} points.`;
  }
  byId("totals").textContent = text;
  drawDistribution(scores, selection.maximum);
}

function drawDistribution(scores, maximum) {
  const bins = Math.min(BINS, maximum + 1);
  const edges = Array.from({ length: bins + 1 }, (_, n) => Math.ceil((n * (maximum + 1)) / bins));
  const counts = new Array(bins).fill(0);
  let bin = 0;
  for (const score of scores) {
    while (bin < bins - 1 && score >= edges[bin + 1]) bin += 1;
    counts[bin] += 1;
  }
  const most = Math.max(...counts, 1);
  const rows = counts.map((count, n) => {
    const range = edges[n] === edges[n + 1] - 1 ? `${edges[n]}` : `${edges[n]} to ${edges[n + 1] - 1}`;
    const bar = element("div", { class: "bar" });
    bar.style.width = `${(100 * count) / most}%`;
    bar.hidden = count === 0;
    return element("tr", {}, element("th", { scope: "row" }, range),
      element("td", { class: "number" }, String(count)),
      element("td", { "aria-hidden": "true" }, bar));
  });
  byId("distribution").tBodies[0].replaceChildren(...rows);
}

function drawChecks(data) {
  const number = (text) => element("td", { class: "number" }, text);
  const rows = data.checks.map((check, place) => ({ check, item: data.items[place] }));
  rows.sort((a, b) => a.check.task - b.check.task);
  byId("checks").tBodies[0].replaceChildren(...rows.map(({ check, item }) => element("tr", {},
    element("td", {}, data.tasks[check.task].number),
    element("th", { scope: "row" }, check.title),
    number(String(check.maximum)),
    number(String(item.began)),
    number(item.began ? `${((100 * item.passed) / item.began).toFixed(0)} %` : ""),
    number(item.began ? item.mean.toFixed(2) : ""),
    number(item.rest === null ? "" : item.rest.toFixed(2)),
    element("td", {}, item.note))));
}

function drawOthers(data, onOpen) {
  const { state, reason, late, id, name } = data.students;
  const lists = new Map([["Late", []]]);
  id.forEach((_, student) => {
    if (late[student]) lists.get("Late").push(student);
    if (state[student] === "graded") return;
    const kind = reason[student] || `${state[student][0].toUpperCase()}${state[student].slice(1)}`;
    if (!lists.has(kind)) lists.set(kind, []);
    lists.get(kind).push(student);
  });
  const made = [];
  for (const [kind, students] of lists) {
    if (students.length === 0) continue;
    const list = element("ul", { class: "students" });
    const details = element("details", {}, element("summary", {},
      isolated(kind), `: ${counted(students.length, "student", "students")}`), list);
    details.addEventListener("toggle", () => {
      if (list.children.length > 0) return;
      list.append(...students.map((student) =>
        element("li", {}, button(name[student], () => onOpen(student)))));
    });
    made.push(details);
  }
  byId("others").replaceChildren(...(made.length ? made : [element("p", {}, "Nobody.")]));
}
