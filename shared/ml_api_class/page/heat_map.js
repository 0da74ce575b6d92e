// The table of tasks and students. Only the rows that are seen are drawn, at any length of a class.

const ROW_HEIGHT = 32;
const ROWS_BESIDE = 8;

class HeatMap {
  constructor(data, selection, onOpen) {
    this.data = data;
    this.selection = selection;
    this.onOpen = onOpen;
    this.table = byId("map");
    this.scroller = byId("scroller");
    this.rows = byId("rows");
    // The one cell that Tab reaches; row -1 is the columns' names.
    this.active = { row: 0, column: 0 };
    this.isPrinting = false;
    this.scroller.addEventListener("scroll", () => this.drawSoon(), { passive: true });
    this.table.addEventListener("keydown", (event) => this.onKey(event));
    this.table.addEventListener("focusin", (event) => this.onFocus(event));
    this.table.addEventListener("click", (event) => this.onClick(event));
    window.addEventListener("resize", () => this.drawSoon());
    window.addEventListener("beforeprint", () => this.print(true));
    window.addEventListener("afterprint", () => this.print(false));
  }

  columns() {
    const { data, selection } = this;
    const tasks = selection.tasks.map((task) => ({
      kind: "task", task, text: data.tasks[task].number, title: data.tasks[task].title,
    }));
    return [
      { kind: "name", task: -1, text: "Student" },
      { kind: "section", task: -1, text: "Section" },
      { kind: "state", task: -1, text: "State" },
      { kind: "total", task: -1, text: `Points of ${selection.maximum}` },
      ...tasks,
    ];
  }

  redraw() {
    const { selection } = this;
    this.shownColumns = this.columns();
    this.active.column = Math.min(this.active.column, this.shownColumns.length - 1);
    this.active.row = Math.min(this.active.row, selection.shown.length - 1);
    const head = this.shownColumns.map((column, number) => {
      const isSorted =
        selection.sortedBy.kind === column.kind && selection.sortedBy.task === column.task;
      const direction = selection.isDescending ? "descending" : "ascending";
      return element("th", {
        scope: "col", role: "columnheader", tabindex: "-1", title: column.title ?? null,
        "aria-sort": isSorted ? direction : "none", "data-row": "-1", "data-column": number,
      }, column.text);
    });
    this.table.tHead.rows[0].replaceChildren(...head);
    this.table.setAttribute("aria-rowcount", selection.shown.length + 1);
    this.table.setAttribute("aria-colcount", this.shownColumns.length);
    this.drawRows();
  }

  drawSoon() {
    if (this.isWaiting) return;
    this.isWaiting = true;
    requestAnimationFrame(() => {
      this.isWaiting = false;
      this.drawRows();
    });
  }

  print(isPrinting) {
    this.isPrinting = isPrinting;
    this.drawRows();
  }

  drawRows() {
    const number = this.selection.shown.length;
    let first = Math.floor(this.scroller.scrollTop / ROW_HEIGHT) - ROWS_BESIDE;
    let end = first + Math.ceil(this.scroller.clientHeight / ROW_HEIGHT) + 2 * ROWS_BESIDE;
    first = this.isPrinting ? 0 : Math.max(Math.min(first, number - 1), 0);
    end = this.isPrinting ? number : Math.min(Math.max(end, first + 1), number);
    const hadFocus = this.table.contains(document.activeElement);
    const drawn = [];
    for (let row = first; row < end; row += 1) drawn.push(this.row(row));
    this.rows.replaceChildren(...drawn);
    space("above", first);
    space("below", number - end);
    const beside = `[data-column="${this.active.column}"]`;
    const reachable = this.cell(this.active) ?? this.rows.querySelector(beside);
    const header = this.table.tHead.querySelector("[tabindex='0']");
    if (header !== null) header.tabIndex = -1;
    const stop = reachable ?? this.cell({ row: -1, column: 0 });
    stop.tabIndex = 0;
    // A row that is scrolled away would take the focus with it; one that is seen gets it.
    if (hadFocus && !this.table.contains(document.activeElement)) {
      stop.focus({ preventScroll: true });
    }
  }

  row(row) {
    const { data, selection } = this;
    const student = selection.shown[row];
    const width = data.tasks.length;
    const at = (column) => ({ tabindex: "-1", "data-row": row, "data-column": column });
    const name = data.students.name[student];
    const cells = [
      element("th", { scope: "row", title: data.students.id[student], ...at(0) }, isolated(name)),
      element("td", at(1), isolated(data.students.section[student])),
      element("td", at(2), stateText(data, student)),
      element("td", { class: "cell", ...at(3) },
        selection.totals[student] < 0 ? "" : String(selection.totals[student])),
    ];
    selection.tasks.forEach((task, place) => {
      const points = data.points[student * width + task];
      let look = "cell";
      if (data.isUntouched[student * width + task]) look += " untouched";
      else if (points >= 0) look += ` p${Math.floor((10 * points) / data.taskMaximum[task])}`;
      cells.push(element("td", { class: look, ...at(place + 4) }, points < 0 ? "" : String(points)));
    });
    return element("tr", { "aria-rowindex": row + 2 }, ...cells);
  }

  cell({ row, column }) {
    return this.table.querySelector(`[data-row="${row}"][data-column="${column}"]`);
  }

  onFocus(event) {
    const { row, column } = event.target.dataset;
    if (row !== undefined) this.active = { row: Number(row), column: Number(column) };
  }

  onClick(event) {
    const cell = event.target.closest("[data-row]");
    if (cell === null) return;
    this.active = { row: Number(cell.dataset.row), column: Number(cell.dataset.column) };
    this.use();
  }

  onKey(event) {
    const { row, column } = this.active;
    const page = Math.max(Math.floor(this.scroller.clientHeight / ROW_HEIGHT) - 2, 1);
    const last = this.selection.shown.length - 1;
    const end = this.shownColumns.length - 1;
    const isFar = event.ctrlKey || event.metaKey;
    const moves = {
      ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
      PageUp: [Math.max(row - page, Math.min(row, 0)), column], PageDown: [row + page, column],
      Home: [isFar ? 0 : row, 0], End: [isFar ? last : row, end],
    };
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.use();
    } else if (event.key in moves) {
      event.preventDefault();
      const [to, across] = moves[event.key];
      this.move(Math.min(Math.max(to, -1), last), Math.min(Math.max(across, 0), end));
    }
  }

  move(row, column) {
    const before = this.cell(this.active);
    if (before !== null) before.tabIndex = -1;
    this.active = { row, column };
    if (row >= 0) {
      const head = this.table.tHead.offsetHeight;
      const top = row * ROW_HEIGHT;
      const { scrollTop, clientHeight } = this.scroller;
      if (top < scrollTop) this.scroller.scrollTop = top;
      const bottom = top + ROW_HEIGHT + head;
      if (bottom > scrollTop + clientHeight) this.scroller.scrollTop = bottom - clientHeight;
      this.drawRows();
    }
    const cell = this.cell(this.active);
    cell.tabIndex = 0;
    cell.focus({ preventScroll: row >= 0 && column === 0 });
  }

  use() {
    const column = this.shownColumns[this.active.column];
    if (this.active.row >= 0) {
      this.onOpen(this.selection.shown[this.active.row], column.task);
      return;
    }
    this.selection.sortBy(column.kind, column.task);
    const place = this.active.column;
    this.scroller.scrollTop = 0;
    this.redraw();
    this.move(-1, place);
  }
}

function space(id, rows) {
  const cell = byId(id).rows[0].cells[0];
  cell.style.height = `${rows * ROW_HEIGHT}px`;
  byId(id).hidden = rows === 0;
}
