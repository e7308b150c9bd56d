/** The researcher's page: follows the jobs that run, and shows their results when they end. */

interface Job {
  state: string;
  what: string;
  share: number;
}

async function follow(box: HTMLElement): Promise<void> {
  const bar = box.querySelector("progress");
  const words = box.querySelector("p");
  for (;;) {
    await new Promise((resolve) => window.setTimeout(resolve, 500));
    const answer = await fetch(`/research/jobs/${box.dataset.job}`, { cache: "no-store" });
    if (!answer.ok) break;
    const job = (await answer.json()) as Job;
    if (job.state !== "running") break;
    if (bar) bar.value = job.share;
    const said = `${job.what || "starting"} …`;
    if (words && words.textContent !== said) words.textContent = said;
  }
  window.location.reload();
}

for (const box of document.querySelectorAll<HTMLElement>("[data-job]"))
  void follow(box).catch(() => {
    const words = box.querySelector("p");
    if (words) words.textContent = "The server does not answer. Load this page again.";
  });
