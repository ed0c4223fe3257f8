/** A line for each test, "ok NAME" or "not ok NAME", and below one that failed what it said. */
export default async function* report(events) {
	for await (const { type, data } of events) {
		if (data?.details?.type === 'suite') continue;
		const seconds = ((data?.details?.duration_ms ?? 0) / 1000).toFixed(1);
		if (type === 'test:pass' && data.skip === undefined) yield `ok ${data.name}\n# ${seconds} s\n`;
		if (type === 'test:fail') yield `not ok ${data.name}\n# ${seconds} s\n${lines(data.details.error)}`;
		if (
			type === 'test:diagnostic' &&
			!/^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(data.message)
		)
			yield `# ${data.message}\n`;
	}
}

function lines(error) {
	const cause = error.cause ?? error;
	const text = cause instanceof Error ? (cause.stack ?? String(cause)) : String(cause);
	return text
		.split('\n')
		.filter((line) => !/node:internal/.test(line))
		.map((line) => `# ${line}\n`)
		.join('');
}
