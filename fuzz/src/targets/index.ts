// All targets by name. The corpus of each is in the folder of that name.
import type { Target } from '../target.js';
import * as framing from './framing.js';
import { pcapng } from './pcapng.js';
import { proxyHeader } from './proxy-header.js';
import { tlsEntry } from './tls-entry.js';
import { udpRequest } from './udp-request.js';

export const targets: Readonly<Record<string, Target>> = {
  lines: framing.lines,
  delimited: framing.delimited,
  'length-prefixed': framing.lengthPrefixed,
  'fixed-length': framing.fixedLength,
  netstrings: framing.netstrings,
  'json-lines': framing.jsonLines,
  'proxy-header': proxyHeader,
  pcapng,
  'udp-request': udpRequest,
  'tls-entry': tlsEntry,
};
