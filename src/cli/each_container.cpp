#include "cli/each_container.hpp"

#include <charconv>
#include <cstdio>

#include <sbx/container.hpp>

namespace sbx::cli {

int each_container(const std::vector<std::string>& names,
                   const std::function<Outcome<std::monostate>(const std::string&)>& action) {
  int worst = 0;
  for (const std::string& name : names) {
    const Outcome<std::monostate> done = action(name);
    if (done) {
      std::printf("%s\n", name.c_str());
      std::fflush(stdout);  // what follows may fork, or wait
    } else {
      worst = complain(done.failure());
    }
  }
  return worst;
}

Outcome<std::vector<std::string>> chosen_containers(
    const std::string& root, const std::vector<std::string>& names, bool all,
    const std::function<bool(const std::string& status)>& wanted) {
  if (all != names.empty()) {
    return Failure{125, all ? "--all and names of containers do not go together"
                            : "a container has to be named\n  hint: or --all"};
  }
  if (!all) {
    return names;
  }
  const Outcome<std::vector<Container>> list = containers(root);
  if (!list) {
    return list.failure();
  }
  std::vector<std::string> out;
  for (const Container& one : list.value()) {
    if (wanted(one.status)) {
      out.push_back(one.id);
    }
  }
  return out;
}

std::optional<int> read_seconds(const std::string& text) {
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(seconds)
                                                                  : std::nullopt;
}

std::variant<StopWords, int> read_stop_words(const std::string& root, CommandLine& line,
                                             const Words& words) {
  StopWords out;
  std::vector<std::string> names;
  std::optional<std::string> time;
  bool all = false;
  line.value("-t,--time", time, "SECONDS",
             "How long to wait before SIGKILL (default: as the container was made, else 10; "
             "negative: for ever)");
  line.flag("-a,--all", all, "All that run");
  line.arguments("CONTAINER", names, "Name or id", false);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (time && !(out.seconds = read_seconds(*time))) {
    return refuse("--time '" + *time + "' is no number of seconds");
  }
  const auto chosen = chosen_containers(
      root, names, all, [](const std::string& status) { return status == "running"; });
  if (!chosen) {
    return complain(chosen.failure());
  }
  out.names = chosen.value();
  return out;
}

}  // namespace sbx::cli
