// How endpoints are formatted.
import { type Endpoint, formatEndpoint } from '@rxsock/core';
import { expect, test } from 'vitest';

test.each<[Endpoint, string]>([
  [{ address: '127.0.0.1', port: 80, family: 'IPv4' }, '127.0.0.1:80'],
  [{ address: '::1', port: 80, family: 'IPv6' }, '[::1]:80'],
  [{ path: '/run/echo.sock' }, '/run/echo.sock'],
  [{ path: '\0echo' }, '@echo'],
])('%j is %s', (endpoint, text) => {
  expect(formatEndpoint(endpoint)).toBe(text);
});
