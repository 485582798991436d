/* Buttons that ask the browser for a passkey, and send its answer as an ordinary form. */
"use strict";
{
  const question = () => JSON.parse(document.getElementById("passkey-question").textContent);
  const problems = {
    NotAllowedError: "No passkey was given in time, or it was refused. Try again.",
    InvalidStateError: "This device has a passkey of this account already.",
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!window.PublicKeyCredential) {
      if (form.dataset.passkey === "create") tell(form, "This browser knows no passkeys. Set up an authenticator app.");
      continue;
    }
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      if (form.elements.credential.value) return;
      event.preventDefault();
      ask(form);
    });
  }

  async function ask(form) {
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    tell(form, "");
    try {
      const ceremony = form.dataset.passkey === "create" ? window.webauthnJSON.create : window.webauthnJSON.get;
      form.elements.credential.value = JSON.stringify(await ceremony(question()));
      form.submit();
    } catch (problem) {
      tell(form, problems[problem.name] || "The browser could not use a passkey here. Use a code instead.");
      button.disabled = false;
    }
  }

  function tell(form, words) {
    const place = form.querySelector("[data-passkey-problem]");
    place.textContent = words;
    place.hidden = !words;
  }
}
