export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".tiles");
  root.setAttribute("aria-label", data.label);
  root.style.setProperty("--columns", String(data.columns));
  root.style.setProperty("--ratio", String(data.ratio));
  while (root.children.length > data.items.length) root.lastChild.remove();
  while (root.children.length < data.items.length) {
    const button = document.createElement("button");
    button.type = "button";
    const frame = document.createElement("span");
    frame.className = "frame";
    frame.append(document.createElement("img"));
    const title = document.createElement("span");
    title.className = "title";
    button.append(frame, title);
    root.append(button);
  }
  data.items.forEach((item, i) => {
    const button = root.children[i];
    const image = button.querySelector("img");
    if (item.src) { if (image.getAttribute("src") !== item.src) image.src = item.src; } else image.removeAttribute("src");
    image.alt = item.alt ?? "";
    const title = button.querySelector(".title");
    title.textContent = item.title ?? "";
    if (item.note) {
      const note = document.createElement("span");
      note.className = "note";
      note.textContent = item.note;
      title.append(" ", note);  // the space is for those who hear it
    }
    button.title = [item.title, item.note].filter(Boolean).join(" · ") || item.alt || "";
    button.disabled = !item.src;
    button.setAttribute("aria-pressed", String(Boolean(item.selected)));
    if (!item.title) button.setAttribute("aria-label", item.alt ?? item.id);
    button.onclick = () => setTriggerValue("picked", item.id);
  });
}
