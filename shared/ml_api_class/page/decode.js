// The data: two lines of JSON in one deflated block. The second one, the cards, waits until needed.

async function inflate(base64) {
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  for (let n = 0; n < bytes.length; n += 1) bytes[n] = characters.charCodeAt(n);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}

class ClassData {
  constructor(text) {
    const end = text.indexOf("\n");
    Object.assign(this, JSON.parse(text.slice(0, end)));
    this.packedCards = text.slice(end + 1);
    this.size = this.students.id.length;
    const tasks = this.tasks.length;
    // The points of student s in task t, -1 where there is no grade.
    this.points = new Int16Array(this.size * tasks).fill(-1);
    this.isUntouched = new Uint8Array(this.size * tasks);
    this.grades.forEach((row, student) => {
      row.forEach((verdict, task) => {
        if (verdict < 0) return;
        const [points, , untouched] = this.verdicts[verdict];
        this.points[student * tasks + task] = points;
        this.isUntouched[student * tasks + task] = untouched;
      });
    });
    this.taskMaximum = new Int16Array(tasks);
    for (const check of this.checks) this.taskMaximum[check.task] += check.maximum;
    const { id, name } = this.students;
    this.words = id.map((each, student) => `${each}\n${name[student]}`.toLowerCase());
  }

  verdict(student, task) {
    const number = this.grades[student][task];
    return number < 0 ? null : this.verdicts[number];
  }

  // A card is whole at every 64th place; the others say what they have in another way than it.
  card(number) {
    if (this.cards === undefined) {
      const { order, cards } = JSON.parse(this.packedCards);
      this.cards = cards;
      this.places = new Map(order.map((card, place) => [card, place]));
      this.packedCards = null;
    }
    const place = this.places.get(number);
    const coded = this.cards[place];
    if (typeof coded === "string") return coded;
    const base = this.cards[place - (place % 64)];
    const [start, end, middle] = coded;
    return base.slice(0, start) + middle + base.slice(base.length - end);
  }
}
