/** Holds a failure in one place: what React sees while it renders, and, by `files`, what scripts of these files throw
 * in animation frames of their own, where only the window hears of it. */
import { Component, type ReactNode } from 'react';

interface Props {
	name: string;
	files?: RegExp;
	children: ReactNode;
}

interface State {
	message: string | null;
	attempt: number;
}

export class Boundary extends Component<Props, State> {
	override state: State = { message: null, attempt: 0 };

	static getDerivedStateFromError(error: unknown): Partial<State> {
		return { message: error instanceof Error ? error.message : String(error) };
	}

	override componentDidMount(): void {
		if (this.props.files) addEventListener('error', this.hear);
	}

	override componentWillUnmount(): void {
		removeEventListener('error', this.hear);
	}

	private readonly hear = (event: ErrorEvent): void => {
		const stack = event.error instanceof Error ? (event.error.stack ?? '') : '';
		if (!this.props.files?.test(`${stack} ${event.filename}`)) return;
		event.preventDefault();
		// what a chart says that comes apart is no reason why it has failed
		this.setState(({ message }) => ({ message: message ?? event.message }));
	};

	private readonly retry = (): void => this.setState(({ attempt }) => ({ message: null, attempt: attempt + 1 }));

	override render(): ReactNode {
		const { message, attempt } = this.state;
		if (message === null)
			return (
				<div className="whole" key={attempt}>
					{this.props.children}
				</div>
			);
		return (
			<div className="failed" role="alert" data-testid="failed">
				<strong>{this.props.name} has stopped</strong>
				<p>{message}</p>
				<p>All else on this page goes on.</p>
				<button type="button" onClick={this.retry}>
					Try again
				</button>
			</div>
		);
	}
}
