export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const hint = parentElement.querySelector(".hint");
  const key = parentElement.querySelector("kbd");
  if (key) key.textContent = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘ V" : "Ctrl V";

  const paste = (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((f) => f.type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    if (file.size > data.limit) {
      hint.classList.add("bad");
      hint.textContent = `The pasted picture has ${(file.size / 1e6).toFixed(1)} MB; ${Math.round(data.limit / 1e6)} MB are allowed.`;
      return;
    }
    const reader = new FileReader();
    reader.onload = () => setTriggerValue("pasted", String(reader.result).split(",", 2)[1]);
    reader.readAsDataURL(file);
  };
  document.addEventListener("paste", paste);
  return () => document.removeEventListener("paste", paste);
}
