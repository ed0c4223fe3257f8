# scripts/dev/completions: what bash, zsh and fish offer, held against the tables of options in cmd/ and not against the
# help that it is made from.
load ../lib

C=$BUILD/completions
read -r -a PROGRAMS < <(cd "$BIN" && echo *)

# long and short options of a program, one a line, as getopt_long(3) gets them
options_of() {
	sed -nE "s/^\t*\{ \"([a-z-]+)\", [a-z]+_argument, NULL, ('(.)'|OPT_[A-Z_]+) \},$/--\1 -\3/p" "$ROOT/cmd/$1.c" |
		tr ' ' '\n' | grep -vx -- -
}

# what a program's options say of their argument: OPTION WORD..., where the usage text has a choice
choices_of() {
	"$1" -h | grep -oE -- '-?-[a-z-]+ [a-z]+([|][a-z]+)+' | tr '|' ' ' | sort -u
}

# what bash offers: the words of the line so far are the arguments, the last one is being typed
bash_offers() { # WORD...
	bash --norc -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_${1//-/_}"; printf "%s\n" "${COMPREPLY[@]}"' \
		"$C/bash/$1" "$@"
}

fish_offers() { fish --no-config -c "source $C/fish/$1.fish; complete -C \"$1 $2\"" | cut -f1; }

have() { command -v "$1" >/dev/null || skip "no $1"; }

@test "every program has its completions, and there are no others" {
	((${#PROGRAMS[@]} > 10))
	[[ "$(cd "$C/bash" && echo *)" == "${PROGRAMS[*]}" ]]
	[[ "$(cd "$C/zsh" && echo *)" == "$(printf '_%s\n' "${PROGRAMS[@]}" | paste -sd' ')" ]]
	[[ "$(cd "$C/fish" && echo *)" == "$(printf '%s.fish\n' "${PROGRAMS[@]}" | paste -sd' ')" ]]
}

@test "bash loads them, and offers every option" {
	local program
	for program in "${PROGRAMS[@]}"; do
		bash -n "$C/bash/$program"
		[[ $(bash --norc -c '. "$0"; complete -p "$1"' "$C/bash/$program" "$program") == "complete -F _${program//-/_} $program" ]]
		diff <(options_of "$program" | sort) <(bash_offers "$program" - | sort)
	done
}

@test "bash offers what begins as what was typed, also behind an option" {
	[[ "$(bash_offers bnc-equity --r)" == --revalue ]]
	[[ "$(bash_offers bnc-equity --mark '')" == $'book\nmark\ntrade\nany' ]]
	[[ "$(bash_offers bnc-equity --mark = m)" == mark ]]
	[[ "$(bash_offers bnc-stream -m c)" == coinm ]]
	[[ "$(bash_offers bnc-account --form '')" == $'query\nsubscribe' ]]
	# a number is nothing to offer words for, a file is
	touch 'file of lines' && mkdir dir
	[[ -z "$(bash_offers bnc-equity -b '')" ]]
	[[ "$(bash_offers bnc-equity -p f)" == 'file of lines' && "$(bash_offers bnc-equity f)" == 'file of lines' ]]
	[[ "$(bash_offers bnc-record -o d)" == dir && -z "$(bash_offers bnc-stream f)" ]]
}

@test "a word that is offered for an option is one that it takes" {
	local program option words word n=0
	for program in "${PROGRAMS[@]}"; do
		while read -r option words; do
			for word in $(bash_offers "$program" "$option" ''); do
				[[ " $words " == *" $word "* ]] || { echo "$program $option $word: not of $words"; return 1; }
				"$program" "$option" "$word" -h >/dev/null || { echo "$program $option $word"; return 1; }
				((n += 1))
			done
		done < <(choices_of "$program")
	done
	((n >= 20))
}

@test "zsh reads them, with every option" {
	have zsh
	local program
	for program in "${PROGRAMS[@]}"; do
		[[ $(head -n 1 "$C/zsh/_$program") == "#compdef $program" ]]
		zsh -f -c '_arguments() { print -rl -- "$@" }; source $1' zsh "$C/zsh/_$program" >specs
		diff <(options_of "$program" | sort) <(sed -nE 's/^\*(--?[a-zA-Z-]*[a-zA-Z]).*/\1/p' specs | sort)
	done
}

# a shell at a terminal of its own, in which the key Tab is pressed
@test "zsh completes with them" {
	have zsh
	cat >offers <<-'E'
		zmodload zsh/zpty
		zpty -b z zsh -f
		zpty -w z 'PS1=; zle_highlight=none; fpath=($C/zsh $fpath); autoload -Uz compinit; compinit -u -D; echo rea""dy'
		wait_for() {
			local all= part
			repeat 200; do
				zpty -r -t z part && all+=$part || sleep 0.05
				[[ $all == *$1* ]] && return
			done
			print -r -- "no $1 in: ${(V)all}"
			exit 1
		}
		wait_for ready
		zpty -w -n z $'bnc-equity --mark tr\t'
		wait_for '--mark trade'
		zpty -w -n z $'--reva\t'
		wait_for '--revalue'
		zpty -d z
	E
	run timeout 30 env C="$C" zsh -f offers
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "fish reads them, with every option and word" {
	have fish
	local program
	for program in "${PROGRAMS[@]}"; do
		fish --no-execute "$C/fish/$program.fish"
		diff <(options_of "$program" | grep '^--' | sort) <(fish_offers "$program" -- | grep '^--' | sed 's/=$//' | sort -u)
		diff <(options_of "$program" | sort) <(sed -nE 's/^complete -c [a-z-]+( -s (.))? -l ([a-z-]+).*/--\3 -\2/p' "$C/fish/$program.fish" |
			tr ' ' '\n' | grep -vx -- - | sort)
	done
	[[ "$(fish_offers bnc-equity '--mark ')" == $'any\nbook\nmark\ntrade' ]]
}

@test "a program without options in its help makes none, and says so" {
	printf '#!/bin/sh\necho "usage: bnc-odd"\n' >bnc-odd && chmod +x bnc-odd
	run "$ROOT/scripts/dev/completions" out ./bnc-odd
	[[ $status -eq 3 && $output == "completions: ./bnc-odd -h lists no options" ]]
	run "$ROOT/scripts/dev/completions" out
	[[ $status -eq 2 && $output == "usage: "* ]]
}
