/** What will stand here, and how to make it come. */
export function Empty({ what, command, also }: { what: string; command?: string; also?: string }) {
	return (
		<p className="empty">
			{what}
			{command && (
				<>
					{' '}
					Made-up ones: <code>{command}</code>
					{also && (
						<>
							; the market’s: <code>{also}</code>
						</>
					)}
					.
				</>
			)}
		</p>
	);
}
