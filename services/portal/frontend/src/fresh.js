// A conversation that is read again from the portal: once, or every few seconds while somebody watches.
import { useCallback, useEffect, useRef, useState } from "react";
import { VERSION } from "./draw_over.jsx";

const EVERY = 5000; // milliseconds

/**
 * The conversation as it was read last.
 *
 * @param first what the page came with.
 * @param url of its JSON.
 * @returns `{ conversation, told, isLive, refresh, setLive }`; `told` says what the last reading brought.
 */
export function useFresh(first, url) {
  const [conversation, setConversation] = useState(first);
  const [told, setTold] = useState("");
  const [isLive, setLive] = useState(false);
  const latest = useRef(first);
  const refresh = useCallback(async () => {
    try {
      const read = await readConversation(url);
      setTold(difference(latest.current, read));
      if (JSON.stringify(read) === JSON.stringify(latest.current)) return;
      latest.current = read;
      setConversation(read);
    } catch (error) {
      setTold(error.message);
      setLive(false);
    }
  }, [url]);
  useEffect(() => {
    if (!isLive) return undefined;
    refresh();
    const timer = setInterval(() => document.hidden || refresh(), EVERY);
    return () => clearInterval(timer);
  }, [isLive, refresh]);
  return { conversation, told, isLive, refresh, setLive };
}

async function readConversation(url) {
  const answer = await fetch(url, { credentials: "same-origin", headers: { Accept: "application/json" } }).catch(() => {
    throw new Error("The portal was expected to answer and did not: is it running? Refresh tries again.");
  });
  const read = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(read.error?.message ?? `The portal answered with status ${answer.status}.`);
  if (read.version !== VERSION) throw new Error("The portal has another version than this page: load the page again.");
  return read;
}

/** What is new, in words, with the time, so that the same again is said again. */
function difference(before, after) {
  const known = new Set(before.nodes.map((node) => node.id));
  const fresh = after.nodes.filter((node) => !known.has(node.id)).length;
  const words = fresh === 0 ? "No new turn" : `${fresh} new turn${fresh === 1 ? "" : "s"}`;
  return `${words}, ${new Date().toLocaleTimeString("en-GB")}.`;
}
