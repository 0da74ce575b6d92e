// One submission: its tasks, their checks, and the cards of those that failed.

class SubmissionView {
  constructor(data, selection) {
    this.data = data;
    this.selection = selection;
    this.dialog = byId("submission");
  }

  // Show a submission, at one of its tasks if one is given.
  open(student, task = -1) {
    const { data, dialog } = this;
    const { students } = data;
    const told = [`Id ${students.id[student]}`];
    if (students.section[student]) told.push(`section ${students.section[student]}`);
    told.push(stateText(data, student));
    if (students.submitted[student]) told.push(`handed in ${students.submitted[student]}`);
    if (students.attempts[student]) {
      told.push(counted(students.attempts[student], "attempt", "attempts"));
    }
    const isGraded = students.state[student] === "graded";
    const points = isGraded ? `: ${students.score[student]} of ${students.maximum[student]}` : "";
    const place = this.selection.shown.indexOf(student);
    const beside = (step, text) => {
      const other = place < 0 ? undefined : this.selection.shown[place + step];
      const made = button(text, () => this.open(other, task));
      made.disabled = other === undefined;
      return made;
    };
    const tasks = data.tasks.map((_, number) => this.task(student, number, number === task));
    const parts = [
      element("div", { class: "buttons" },
        beside(-1, "Previous"), beside(1, "Next"), button("Close", () => dialog.close()),
        // The heading scrolls away with the first tasks; this stays.
        element("span", { class: "who", "aria-hidden": "true" }, isolated(students.name[student]))),
      element("h2", { id: "submission-title", tabindex: "-1" },
        isolated(students.name[student]), points),
      element("p", {}, isolated(told.join(", ")), "."),
      students.reason[student] ? element("p", {}, isolated(students.reason[student])) : null,
      students.notes[student] ? element("p", {}, isolated(students.notes[student])) : null,
      ...tasks,
    ];
    dialog.replaceChildren(...parts.filter((each) => each !== null));
    if (!dialog.open) dialog.showModal();
    const chosen = dialog.querySelector("[data-chosen]");
    if (chosen === null) dialog.querySelector("h2").focus();
    else {
      chosen.focus({ preventScroll: true });
      chosen.scrollIntoView({ block: "start" });
    }
  }

  task(student, task, isChosen) {
    const verdict = this.data.verdict(student, task);
    if (verdict === null) return null;
    const [points, maximum, isUntouched, checks] = verdict;
    const { number, title } = this.data.tasks[task];
    const mark = isUntouched ? " (not begun)" : "";
    const heading = element("h3", isChosen ? { tabindex: "-1", "data-chosen": "" } : {},
      `${number} ${title}: ${points} of ${maximum}${mark}`);
    if (isUntouched) return element("section", {}, heading);
    const rows = checks.map(([check, earned, card, inRealTime]) => {
      const { title: name, maximum: most } = this.data.checks[check];
      return element("tr", {},
        element("th", { scope: "row" }, name),
        element("td", {}, card < 0 ? "passed" : `failed${inRealTime ? ", in real time" : ""}`),
        element("td", { class: "number" }, `${earned} of ${most}`));
    });
    const table = element("table", { class: "ended" },
      element("thead", {}, element("tr", {},
        element("th", { scope: "col" }, "Check"), element("th", { scope: "col" }, "Result"),
        element("th", { scope: "col", class: "number" }, "Points"))),
      element("tbody", {}, ...rows));
    const cards = checks.filter(([, , card]) => card >= 0).map(([check, , card]) =>
      this.card(this.data.checks[check].title, card, isChosen));
    const doubt = checks.some(([, , , inRealTime]) => inRealTime)
      ? element("p", {}, "In real time: a machine that is very busy can cause such a failure, though "
        + "it was tried again alone before it counted.")
      : null;
    return element("section", {}, heading, table, doubt, ...cards);
  }

  card(title, number, isOpen) {
    const made = element("details", {}, element("summary", {}, title));
    const fill = () => {
      if (made.open && made.children.length === 1) {
        made.append(element("pre", { dir: "ltr" }, this.data.card(number)));
      }
    };
    made.addEventListener("toggle", fill);
    made.open = isOpen;
    fill();
    return made;
  }
}
