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

// The columns of the table of checks: a name, what a cell says, and what it means if that is not
// plain. Those that are "" for every check are left out: nobody has measured them.
const CHECK_COLUMNS = [
  ["Points", ({ check }) => String(check.maximum)],
  ["Began", ({ item }) => String(item.began)],
  ["Passed", ({ item }) => (item.began ? `${((100 * item.passed) / item.began).toFixed(0)} %` : "")],
  ["Mean", ({ item }) => (item.began ? item.mean.toFixed(2) : "")],
  ["With the rest", ({ item }) => fixed(item.rest),
    "the correlation of a check's points with all other points of the same student. Near 0 or below, "
    + "the check tells nothing of how the others do."],
  ["Attempts", ({ item }) => fixed(item.attempts),
    "how many attempts those who passed it had handed in, on average, as far as that is known."],
  ["A mistake costs", ({ item }) => fixed(item.cost),
    "proved with known mistakes, before the class: the points that a mistake of this check costs in "
    + "its task, on average. More than the check's own points: it fails other checks as well."],
  ["Mutants", ({ item }) => (item.killed === null ? "" : `${item.killed} of ${item.mutants}`),
    "proved as well: how many small changes of the reference solution this check sees."],
];

function fixed(number) {
  return number === null ? "" : number.toFixed(2);
}

function drawChecks(data) {
  const rows = data.checks.map((check, place) => ({ check, item: data.items[place] }));
  rows.sort((a, b) => a.check.task - b.check.task);
  const columns = CHECK_COLUMNS.filter(([, cell]) => rows.some((row) => cell(row) !== ""));
  byId("checks-columns").replaceChildren(...columns
    .filter(([, , meaning]) => meaning !== undefined)
    .map(([name, , meaning]) => element("li", {}, element("b", {}, name), `: ${meaning}`)));
  const note = byId("checks-note");
  note.textContent = data.proven;
  note.hidden = data.proven === "";
  const head = (text, look = null) => element("th", { scope: "col", class: look }, text);
  const { tHead, tBodies } = byId("checks");
  tHead.rows[0].replaceChildren(head("Task"), head("Check"),
    ...columns.map(([name]) => head(name, "number")), head("Note"));
  tBodies[0].replaceChildren(...rows.map((row) => element("tr", {},
    element("td", {}, data.tasks[row.check.task].number),
    element("th", { scope: "row" }, row.check.title),
    ...columns.map(([, cell]) => element("td", { class: "number" }, cell(row))),
    element("td", { class: "note" }, row.item.note))));
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
      isolated(kind.replace(/\.$/, "")), `: ${counted(students.length, "student", "students")}`), list);
    details.addEventListener("toggle", () => {
      if (list.children.length > 0) return;
      list.append(...students.map((student) =>
        element("li", {}, button(name[student], () => onOpen(student)))));
    });
    made.push(details);
  }
  byId("others").replaceChildren(...(made.length ? made : [element("p", {}, "Nobody.")]));
}
