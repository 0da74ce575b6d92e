// What is shown: which students, in which order, and which tasks.

class Selection {
  constructor(data) {
    this.data = data;
    this.text = "";
    this.section = "";
    this.part = "";
    this.state = "";
    this.sortedBy = { kind: "name", task: -1 };
    this.isDescending = false;
    this.update();
  }

  update() {
    const { data } = this;
    this.tasks = data.tasks.map((_, task) => task);
    if (this.part !== "") {
      this.tasks = this.tasks.filter((task) => data.tasks[task].part === Number(this.part));
    }
    this.maximum = this.tasks.reduce((sum, task) => sum + data.taskMaximum[task], 0);
    this.totals = new Int32Array(data.size);
    const width = data.tasks.length;
    for (let student = 0; student < data.size; student += 1) {
      let sum = data.students.state[student] === "graded" ? 0 : -1;
      for (const task of this.tasks) sum += Math.max(data.points[student * width + task], 0);
      this.totals[student] = sum;
    }
    const text = this.text.trim().toLowerCase();
    const chosen = [];
    this.isShown = new Uint8Array(data.size);
    for (let student = 0; student < data.size; student += 1) {
      if (this.section !== "" && data.students.section[student] !== this.section) continue;
      if (text !== "" && !data.words[student].includes(text)) continue;
      if (this.state === "late" && !data.students.late[student]) continue;
      if (this.state !== "" && this.state !== "late") {
        if (data.students.state[student] !== this.state) continue;
      }
      chosen.push(student);
      this.isShown[student] = 1;
    }
    this.shown = Int32Array.from(chosen);
    this.sort();
  }

  sortBy(kind, task) {
    const isSame = this.sortedBy.kind === kind && this.sortedBy.task === task;
    this.isDescending = isSame ? !this.isDescending : kind === "total" || kind === "task";
    this.sortedBy = { kind, task };
    this.sort();
  }

  sort() {
    const keys = this.keys();
    const { rank } = this.data.students;
    const sign = this.isDescending ? -1 : 1;
    this.shown.sort((a, b) => sign * (keys[a] - keys[b]) || rank[a] - rank[b]);
  }

  keys() {
    const { data } = this;
    const { kind, task } = this.sortedBy;
    if (kind === "name") return data.students.rank;
    if (kind === "total") return this.totals;
    if (kind === "section") return ranks(data.students.section);
    if (kind === "state") return ranks(stateTexts(data));
    const width = data.tasks.length;
    const keys = new Int32Array(data.size);
    for (let student = 0; student < data.size; student += 1) {
      const at = student * width + task;
      // Below 0 points is what nobody has touched, and below that what is not graded.
      keys[student] = data.isUntouched[at] ? 0 : data.points[at] + (data.points[at] >= 0 ? 1 : 0);
    }
    return keys;
  }
}

function stateText(data, student) {
  const late = data.students.late[student] ? ", late" : "";
  return data.students.state[student] + late;
}

function stateTexts(data) {
  return data.students.id.map((_, student) => stateText(data, student));
}

function ranks(texts) {
  const order = new Map([...new Set(texts)].sort().map((text, rank) => [text, rank]));
  return Int32Array.from(texts, (text) => order.get(text));
}
