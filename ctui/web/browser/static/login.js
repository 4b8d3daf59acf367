// Sends the token, keeps this port's half of the session, and goes on to the dashboard.

import { KEY } from "./names.js";

const form = document.querySelector("form");
const problem = document.querySelector(".problem");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  form.inert = true;
  problem.hidden = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const said = await answer.json();
    if (answer.ok) {
      localStorage.setItem(KEY, said.key);
      location.replace("/");
      return;
    }
    problem.textContent = said.error;
  } catch {
    problem.textContent = "The server does not answer.";
  }
  problem.hidden = form.inert = false;
  form.token.select();
});

// Before, the browser itself would send the form, and show what is said to a script.
form.querySelector("button").disabled = false;
form.token.focus();
