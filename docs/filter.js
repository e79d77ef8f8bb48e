// A field above the tables of systems that leaves the rows with all the words in them.
const table = document.querySelector("article table");
if (table && location.pathname.endsWith("/systems.html")) {
  const field = document.createElement("input");
  field.type = "search";
  field.className = "filter";
  field.placeholder = "Debian, exFAT, booted ...";
  field.setAttribute("aria-label", "Show the rows that have these words");
  (table.closest(".md-typeset__scrollwrap") ?? table).before(field);
  const rows = [...document.querySelectorAll("article tbody tr")];
  const show = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  };
  field.addEventListener("input", show);
}
