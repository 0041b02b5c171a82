# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of machina(8) for bash: the program itself knows what may follow.

_machina()
{
	local -a words=() lines=() paths=()
	local i word rest=$COMP_LINE line current head value has_files=

	# Bash has split "--root=/x" and "web:/x" at "=" and ":"; what has no blank between is one word.
	for ((i = 0; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]} line=${rest#"${rest%%[![:space:]]*}"}
		if ((i < 2)) || [[ $line != "$rest" || $line != "$word"* ]]; then
			words+=("$word")
		else
			words[-1]+=$word
		fi
		rest=${line#"$word"}
	done
	current=${words[-1]-}
	# What stands in front of the part that bash replaces.
	word=${COMP_WORDS[COMP_CWORD]-}
	[[ -z ${word//[=:]/} ]] && word=
	head=${current%"$word"}

	mapfile -t lines < <(command machina _complete -- "${words[@]:1}" 2>/dev/null)
	COMPREPLY=()
	for line in "${lines[@]}"; do
		line=${line%%$'\t'*}
		case $line in
		:files) has_files=-f ;;
		:directories) has_files=-d ;;
		*) COMPREPLY+=("${line#"$head"}") ;;
		esac
	done
	# "web:" goes on.
	[[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *: ]] && compopt -o nospace
	[[ $has_files ]] || return

	value=$current
	[[ $current == --*=* ]] && value=${current#*=} head=${head#*=}
	mapfile -t paths < <(compgen "$has_files" -- "$value")
	if ((${#COMPREPLY[@]} == 0)); then
		compopt -o filenames
	elif ((${#paths[@]})); then
		# Other candidates are no files, which bash would treat them as: here paths are quoted, and
		# directories have their slash.
		compopt -o nospace
		for i in "${!paths[@]}"; do
			word=${paths[i]}
			printf -v paths[i] %q "$word"
			if [[ -d $word ]]; then paths[i]+=/; else paths[i]+=' '; fi
		done
	fi
	for word in "${paths[@]}"; do
		COMPREPLY+=("${word#"$head"}")
	done
}

complete -F _machina machina
