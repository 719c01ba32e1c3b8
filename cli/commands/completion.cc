// `amphora completion bash|zsh|fish`: a script for that shell, made from the commands and flags
// that the program itself parses, so that it can't go out of date. Each script walks the words of
// the command line to find which command it is in ("at"), and offers that one's subcommands and
// flags; flags with a choice offer the choice, the rest files. Where an argument names something
// that the store has, the script asks the program for it: `amphora completion names -- WORDS`.
#include <map>
#include <string>
#include <vector>

#include "cli/commands/command.h"
#include "cli/commands/store_names.h"

namespace amphora::cli {
namespace {

struct Place {
  std::string at;                                             // "amphora bucket create"
  std::vector<std::pair<std::string, std::string>> commands;  // name, what it does
  std::vector<std::string> flags;
  bool takes_names = false;
};

struct Grammar {
  std::vector<Place> places;
  std::map<std::string, std::string> choices;  // flag -> "open keys"; "" for any other value
};

// "open|keys" is a choice, "DIR" a place holder.
std::string ChoicesOf(const std::string& type_name) {
  if (type_name.find('|') == std::string::npos) return "";
  std::string words = type_name;
  for (char& c : words) {
    if (c == '|') c = ' ';
  }
  return words;
}

void Collect(const CLI::App& app, const std::string& at, Grammar& grammar) {
  Place place{at, {}, {}, TakesNames(app)};
  for (const CLI::Option* option : app.get_options()) {
    std::vector<std::string> names;
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    for (const std::string& name : names) {
      if (option->get_items_expected_max() > 0) {
        grammar.choices.emplace(name, ChoicesOf(option->get_type_name()));
      }
      place.flags.push_back(name);
    }
  }
  const auto subcommands = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* command : subcommands) {
    place.commands.emplace_back(command->get_name(), command->get_description());
  }
  grammar.places.push_back(std::move(place));
  for (const CLI::App* command : subcommands)
    Collect(*command, at + " " + command->get_name(), grammar);
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string WordsOf(const Place& place) {
  std::vector<std::string> words;
  for (const auto& [name, help] : place.commands) words.push_back(name);
  words.insert(words.end(), place.flags.begin(), place.flags.end());
  return Joined(words);
}

// "amphora serve"|"amphora stop"|…: what a case of a shell compares with.
std::string Pattern(const Grammar& grammar, bool (*wanted)(const Place&)) {
  std::string pattern;
  for (const Place& place : grammar.places) {
    if (wanted(place)) pattern += (pattern.empty() ? "\"" : "|\"") + place.at + "\"";
  }
  return pattern;
}

bool IsCommand(const Place& place) { return place.at != "amphora"; }
bool AsksForNames(const Place& place) { return place.takes_names; }

// What stands before the rest: nothing else is offered where the store has a name to offer.
std::string BashNames(const Grammar& grammar) {
  return "  if [[ $current != -* ]]; then\n"
         "    case \"$at\" in\n      " +
         Pattern(grammar, AsksForNames) +
         ")\n"
         "        mapfile -t COMPREPLY < <(\"${COMP_WORDS[0]/#\\~/$HOME}\" completion names -- "
         "\"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
         "        if ((${#COMPREPLY[@]} > 0)); then\n"
         "          [[ ${COMPREPLY[0]} != */ ]] || compopt -o nospace 2>/dev/null\n"
         "          for i in \"${!COMPREPLY[@]}\"; do printf -v 'COMPREPLY[i]' %q "
         "\"${COMPREPLY[i]}\"; done\n"
         "          return\n"
         "        fi ;;\n"
         "    esac\n  fi\n";
}

std::string Bash(const Grammar& grammar) {
  std::string text =
      "# bash completion for amphora. Use: source <(amphora completion bash)\n"
      "_amphora() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} at=amphora words= i\n"
      "  COMPREPLY=()\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"$at ${COMP_WORDS[i]}\" in\n      " +
      Pattern(grammar, IsCommand) + ") at=\"$at ${COMP_WORDS[i]}\" ;;\n    esac\n  done\n" +
      "  case \"${COMP_WORDS[COMP_CWORD-1]}\" in\n";
  for (const auto& [flag, choices] : grammar.choices) {
    text += "    " + flag + ")";
    if (!choices.empty()) text += " COMPREPLY=($(compgen -W '" + choices + "' -- \"$current\"));";
    text += " return ;;\n";
  }
  text += "  esac\n" + BashNames(grammar) + "  case \"$at\" in\n";
  for (const Place& place : grammar.places) {
    text += "    \"" + place.at + "\") words='" + WordsOf(place) + "' ;;\n";
  }
  return text +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "}\n"
         "complete -o default -F _amphora amphora\n";
}

std::string ZshNames(const Grammar& grammar) {
  return "  if [[ ${words[CURRENT]} != -* ]]; then\n"
         "    case \"$at\" in\n      " +
         Pattern(grammar, AsksForNames) +
         ")\n"
         "        names=(\"${(@f)$(${~words[1]} completion names -- \"${(@)words[2,CURRENT]}\" "
         "2>/dev/null)}\")\n"
         "        names=(${names:#})\n"
         "        if (( ${#names} )); then\n"
         "          if [[ ${names[1]} == */ ]]; then compadd -S '' -- $names; else compadd -- "
         "$names; "
         "fi\n"
         "          return\n"
         "        fi ;;\n"
         "    esac\n  fi\n";
}

std::string Zsh(const Grammar& grammar) {
  std::string text =
      "#compdef amphora\n"
      "# zsh completion for amphora. Use: source <(amphora completion zsh)\n"
      "_amphora() {\n"
      "  local at=amphora word\n"
      "  local -a names\n"
      "  for word in ${words[2,CURRENT-1]}; do\n"
      "    case \"$at $word\" in\n      " +
      Pattern(grammar, IsCommand) + ") at=\"$at $word\" ;;\n    esac\n  done\n" +
      "  case \"${words[CURRENT-1]}\" in\n";
  for (const auto& [flag, choices] : grammar.choices) {
    text += "    " + flag + ") " + (choices.empty() ? "_files" : "compadd -- " + choices) +
            "; return ;;\n";
  }
  text += "  esac\n" + ZshNames(grammar) + "  case \"$at\" in\n";
  for (const Place& place : grammar.places) {
    text += "    \"" + place.at + "\") compadd -- " + WordsOf(place) + " ;;\n";
  }
  return text +
         "  esac\n"
         "  _files\n"
         "}\n"
         "if [ \"$funcstack[1]\" = _amphora ]; then _amphora \"$@\"; else compdef _amphora "
         "amphora; fi\n";
}

// Between single quotes of fish.
std::string FishQuoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + "'";
}

std::string Fish(const Grammar& grammar) {
  std::string text =
      "# fish completion for amphora. Use: amphora completion fish | source\n"
      "function __amphora_at\n"
      "  set -l at amphora\n"
      "  set -l words (commandline -opc)\n"
      "  for word in $words[2..-1]\n"
      "    switch \"$at $word\"\n      case";
  for (const Place& place : grammar.places) {
    if (place.at != "amphora") text += " " + FishQuoted(place.at);
  }
  text +=
      "\n        set at \"$at $word\"\n    end\n  end\n  test \"$at\" = \"$argv\"\nend\n"
      "function __amphora_names\n"
      "  set -l words (commandline -opc)\n"
      "  set -l current (commandline -ct)\n"
      "  set -l program (string replace -r '^~' -- $HOME $words[1])\n"
      "  $program completion names -- $words[2..-1] \"$current\" 2>/dev/null\n"
      "end\n";
  for (const Place& place : grammar.places) {
    const std::string here = "complete -c amphora -n " + FishQuoted("__amphora_at " + place.at);
    for (const auto& [name, help] : place.commands) {
      text += here + " -f -a " + FishQuoted(name) + " -d " + FishQuoted(help) + "\n";
    }
    for (const std::string& flag : place.flags) {
      const bool is_long = flag.starts_with("--");
      text += here + (is_long ? " -l " + flag.substr(2) : " -s " + flag.substr(1));
      const auto choices = grammar.choices.find(flag);
      if (choices != grammar.choices.end()) text += " -r";
      if (choices != grammar.choices.end() && !choices->second.empty()) {
        text += " -f -a " + FishQuoted(choices->second);
      }
      text += "\n";
    }
    if (place.takes_names) text += here + " -a '(__amphora_names)'\n";
  }
  return text;
}

Outcome<ExitCode> Run(const CLI::App& root, const std::string& shell,
                      const std::vector<std::string>& words) {
  if (shell == "names") {
    for (const std::string& name : CompleteNames(root, words)) Print(name);
    return ExitCode::kDone;
  }
  if (!words.empty()) return UsageError("'" + words.front() + "' is one word too many");
  Grammar grammar;
  Collect(root, "amphora", grammar);
  std::string text;
  if (shell == "bash") {
    text = Bash(grammar);
  } else if (shell == "zsh") {
    text = Zsh(grammar);
  } else if (shell == "fish") {
    text = Fish(grammar);
  } else {
    return UsageError("'" + shell + "' is no shell that is known here: bash, zsh or fish");
  }
  text.pop_back();  // Print ends the line
  Print(text);
  return ExitCode::kDone;
}

}  // namespace

void AddCompletion(Program& program) {
  CLI::App* app =
      AddCommand(program.app, "completion", "Print a completion script for a shell",
                 "amphora completion bash > ~/.local/share/bash-completion/completions/amphora");
  auto shell = std::make_shared<std::string>();
  app->add_option("SHELL", *shell, "bash, zsh or fish")->required()->type_name("");
  auto words = std::make_shared<std::vector<std::string>>();
  app->add_option("words", *words)->group("");  // what the scripts say, not people
  app->callback([shell, words, &program] {
    program.action = [shell, words, &root = program.app] { return Run(root, *shell, *words); };
  });
}

}  // namespace amphora::cli
