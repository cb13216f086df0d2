export default function (component) {
  const { data, parentElement } = component;
  parentElement.querySelector("svg").setAttribute("aria-label", data.alt);
  for (const place of parentElement.querySelectorAll("[data-text]")) {
    const words = data.texts[place.dataset.text];
    if (words !== undefined) place.textContent = words;
  }
}
