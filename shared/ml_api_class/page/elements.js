// Elements are made here and nowhere else: what a student has said is only ever the text of a node.

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

// A name, which may be written from right to left, beside text that is not.
function isolated(text) {
  return element("bdi", {}, text);
}

function button(text, onPress) {
  const made = element("button", { type: "button" }, isolated(text));
  made.addEventListener("click", onPress);
  return made;
}

function byId(id) {
  return document.getElementById(id);
}

function counted(number, one, many) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}
