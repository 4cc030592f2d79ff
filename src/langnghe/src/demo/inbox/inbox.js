"use strict";
// Asks for new tickets every few seconds. What is there is left alone, so that an open detail stays
// open and a playing recording plays on.

const list = document.getElementById("tickets");
const status = document.getElementById("status");
const title = document.title;
let state = list.dataset.state;
let unseen = 0;

function put(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  for (const fresh of [...parsed.body.children].reverse()) {
    if (document.getElementById(fresh.id)) continue;
    const ticket = document.adoptNode(fresh);
    ticket.classList.add("new");
    list.prepend(ticket);
    unseen += 1;
  }
  if (list.querySelector("article")) document.getElementById("empty")?.remove();
  showUnseen();
}

function showUnseen() {
  if (!document.hidden) unseen = 0;
  document.title = unseen > 0 ? `(${unseen}) ${title}` : title;
}

async function refresh() {
  try {
    const response = await fetch(`/demo/agency/list?state=${encodeURIComponent(state)}`, {
      cache: "no-store",
      signal: AbortSignal.timeout(10000),
    });
    if (response.status === 200) {
      const answer = await response.json();
      state = answer.state;
      put(answer.html);
      status.textContent = answer.status;
    }
    status.classList.toggle("away", response.status >= 400);
  } catch {
    status.classList.add("away");
  }
  setTimeout(refresh, document.hidden ? 10000 : 2000);
}

document.addEventListener("visibilitychange", showUnseen);
setTimeout(refresh, 2000);
