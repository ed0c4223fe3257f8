/// <reference types="vite/client" />

interface ImportMetaEnv {
	/** the stream's address, where it is not that of the page */
	readonly VITE_WS_URL?: string;
}
