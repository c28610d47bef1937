// A list of choices that shows one of several parts of the page.

document.querySelectorAll("select[data-shows]").forEach(select => {
  const parts = document.querySelectorAll(`[data-part="${select.dataset.shows}"]`);
  const show = () => parts.forEach(part => { part.hidden = part.dataset.choice !== select.value; });
  select.addEventListener("change", show);
  show();
});
