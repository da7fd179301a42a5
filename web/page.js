/* The status page comes complete from the server. With a script it stays
 * fresh: /live says that something changed, the page is fetched again and its
 * main part replaced. Nothing is built from strings here. */
"use strict";
(() => {
	const GAP_MS = 2000;        /* between two fetches */
	const QUIET_MS = 45000;     /* no sign of life: the stream is dead */
	const AGAIN_MS = 5000;      /* after the stream was refused */
	let timer = 0, fetched = 0, heard = Date.now(), updated = 0, cut = false;

	const human = (ms) => {
		const s = Math.max(0, Math.round(ms / 1000));
		const parts = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
		const out = [];
		let rest = s;
		for (const [unit, size] of parts) {
			if (out.length === 2) break;
			const n = Math.floor(rest / size);
			rest -= n * size;
			if (n > 0 || (unit === "s" && out.length === 0))
				out.push(n + unit);
			else if (out.length === 1) break;
		}
		return out.join(" ");
	};

	const ages = () => {
		const now = Date.now();
		for (const span of document.querySelectorAll(".ago")) {
			const time = span.previousElementSibling;
			if (!time || !time.dateTime) continue;
			const line = span.closest("#updated");
			const at = line && updated ? updated : Date.parse(time.dateTime);
			span.textContent = "(" + human(now - at) + (line ? " ago)" : ")");
		}
		const line = document.getElementById("updated");
		if (line) {
			const lost = cut || now - heard > QUIET_MS;
			const ago = line.querySelector(".ago");
			line.classList.toggle("lost", lost);
			if (lost && ago) ago.textContent += " · no connection, this may be old";
		}
	};

	const refresh = async () => {
		timer = 0;
		fetched = Date.now();
		try {
			const answer = await fetch(location.href, { cache: "no-store" });
			if (!answer.ok) throw new Error(answer.status);
			const text = await answer.text();
			const fresh = new DOMParser().parseFromString(text, "text/html");
			for (const id of ["page", "updated"]) {
				const from = fresh.getElementById(id), to = document.getElementById(id);
				if (from && to) to.replaceWith(document.adoptNode(from));
			}
			document.title = fresh.title;
			updated = 0;
		} catch (e) {
			/* Offline, or no page: the age of this one says so. */
		}
		ages();
	};

	const soon = () => {
		if (timer || document.hidden) return;
		/* Spread, so that a crowd of watchers does not come at once. */
		const wait = Math.max(0, fetched + GAP_MS - Date.now()) + Math.random() * 500;
		timer = setTimeout(refresh, wait);
	};

	const sample = (e) => {
		heard = Date.now();
		const s = JSON.parse(e.data);
		updated = heard;
		const row = document.querySelector('.mon[data-id="' + Number(s.monitor) + '"]');
		const ms = row && row.querySelector(".ms");
		if (ms && s.latency_us !== null)
			ms.textContent = s.latency_us < 1000 ? s.latency_us + " µs" :
			    s.latency_us < 1e6 ? Math.round(s.latency_us / 1000) + " ms" :
			    (s.latency_us / 1e6).toFixed(1) + " s";
	};

	const changed = () => { heard = Date.now(); soon(); };

	const connect = () => {
		const source = new EventSource("/live");
		source.onopen = () => { cut = false; changed(); };
		source.onerror = () => {
			cut = true;
			ages();
			/* A refusal ends the stream for good: it is asked for anew. */
			if (source.readyState === EventSource.CLOSED)
				setTimeout(connect, AGAIN_MS * (1 + Math.random()));
		};
		source.addEventListener("sample", sample);
		source.addEventListener("alive", () => { heard = Date.now(); });
		for (const kind of ["transition", "config", "start", "clock", "incident"])
			source.addEventListener(kind, changed);
	};

	if ("EventSource" in window) connect();
	document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
	setInterval(ages, 5000);
	/* Bars and uptime move slowly: once a minute is enough. */
	setInterval(soon, 60000);
	ages();
})();
