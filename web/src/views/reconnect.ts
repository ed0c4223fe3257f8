/** The views do not know the socket: main hands them what they may ask of it. */
let start = (): void => undefined;
export function provideReconnect(by: () => void): void {
	start = by;
}
export const reconnect = (): void => start();
