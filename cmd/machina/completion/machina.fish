# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of machina(8) for fish: the program itself knows what may follow.

function __machina_complete
    command -q machina; or return
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l glue (string match -r -- '^--[^=]*=' "$current")
    set -l value (string replace -- "$glue" '' "$current")
    set -l lines (command machina _complete -- $words[2..-1] "$current" 2>/dev/null)

    for line in $lines
        switch "$line"
            case :files
                string replace -r -- '^' "$glue" (__fish_complete_path "$value")
            case :directories
                string replace -r -- '^' "$glue" (__fish_complete_directories "$value")
            case '*'
                printf '%s\n' "$line"
        end
    end
end

complete -c machina -f -a '(__machina_complete)'
