// Groups of mistakes, the largest first, among the students and tasks that are shown.

const GROUPS_AT_ONCE = 30;
const STUDENTS_AT_ONCE = 60;

class MistakesView {
  constructor(data, selection, onOpen) {
    this.data = data;
    this.selection = selection;
    this.onOpen = onOpen;
    this.place = byId("mistakes");
    this.more = byId("more-mistakes");
    this.more.addEventListener("click", () => this.drawMore());
    this.groups = data.groups.map(([task, checks, points, message, card, steps]) => {
      let student = 0;
      const students = steps.map((step) => (student += step));
      return { task, checks, points, message, card, students };
    });
  }

  redraw() {
    const { data, selection } = this;
    const parts = new Set(selection.tasks);
    this.found = [];
    for (const group of this.groups) {
      if (!parts.has(group.task)) continue;
      const students = group.students.filter((student) => selection.isShown[student]);
      if (students.length > 0) this.found.push({ ...group, students });
    }
    this.found.sort((a, b) => b.students.length - a.students.length);
    this.drawn = 0;
    this.place.replaceChildren();
    if (this.found.length === 0) this.place.append(element("p", {}, "None."));
    this.drawMore();
  }

  drawMore() {
    const next = this.found.slice(this.drawn, this.drawn + GROUPS_AT_ONCE);
    const made = next.map((group) => this.group(group));
    this.place.append(...made);
    if (this.drawn > 0 && made.length > 0) made[0].querySelector("summary").focus();
    this.drawn += next.length;
    this.more.hidden = this.drawn >= this.found.length;
  }

  group(group) {
    const { data } = this;
    const [first, ...others] = group.checks.map((check) => data.checks[check].title);
    const students = counted(group.students.length, "student", "students");
    const points = counted(group.points, "point", "points");
    const made = element("details", {}, element("summary", {},
      `${students}, ${points}: ${data.tasks[group.task].number} ${first} `,
      element("br", {}), isolated(group.message)));
    made.addEventListener("toggle", () => {
      if (!made.open || made.children.length > 1) return;
      const list = element("ul", { class: "students" });
      this.list(list, group, group.task, 0);
      made.append(list, element("pre", { dir: "ltr" }, data.card(group.card)));
      if (others.length > 0) {
        made.append(element("p", {}, "Also lost for this reason:"),
          element("ul", {}, ...others.map((title) => element("li", {}, title))));
      }
    });
    return made;
  }

  list(list, group, task, from) {
    const some = group.students.slice(from, from + STUDENTS_AT_ONCE);
    list.append(...some.map((student) => element("li", {},
      button(this.data.students.name[student], () => this.onOpen(student, task)))));
    const left = group.students.length - from - some.length;
    if (left > 0) {
      const more = element("li", {}, button(`${left} more`, () => {
        more.remove();
        this.list(list, group, task, from + some.length);
      }));
      list.append(more);
    }
  }
}
