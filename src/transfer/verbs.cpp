#include "transfer/verbs.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace sbx::transfer {

std::span<const Verb> verbs() {
  static constexpr std::array kVerbs{
      Verb{"adopt", adopt},
      Verb{"adopt-file", adopt_file},
      Verb{"check", check},
      Verb{"describe", describe_remote},
      Verb{"export", export_container},
      Verb{"import", import},
      Verb{"load", load},
      Verb{"login", login},
      Verb{"logins", logins},
      Verb{"logout", logout},
      Verb{"pull", pull},
      Verb{"push", push},
      Verb{"save", save},
      Verb{"search", search},
  };
  return kVerbs;
}

Result<Json> run_verb(Words words) {
  const std::string_view name = words.empty() ? std::string_view() : words.front();
  const auto verb = std::find_if(verbs().begin(), verbs().end(),
                                 [&](const Verb& known) { return known.name == name; });
  if (verb != verbs().end()) {
    return verb->run(words.subspan(1));
  }
  std::string usage = "its verbs are:";
  for (const Verb& known : verbs()) {
    usage += " " + std::string(known.name);
  }
  return fail(wrong_words(usage, name, "it is no verb of sbx-transfer"));
}

}  // namespace sbx::transfer
