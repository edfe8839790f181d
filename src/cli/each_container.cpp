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

void add_choice(CommandLine& line, ContainerChoice& choice) {
  line.flag("-l,--latest", choice.latest, "The container that was made last");
  line.arguments("CONTAINER", choice.names, "Name or id", false);
}

bool is_running(const Container& container) {
  return container.status == "running" || container.status == "paused" ||
         container.status == "restarting";
}

Outcome<std::string> latest_container(const std::string& root) {
  const Outcome<std::vector<Container>> list = containers(root);
  if (!list) {
    return list.failure();
  }
  if (list.value().empty()) {
    return Failure{125, "there is no container"};
  }
  return list.value().front().id;
}

Outcome<std::string> chosen_container(const std::string& root, const std::string& name,
                                      bool latest) {
  if (latest && !name.empty()) {
    return Failure{125, "--latest and the name of a container do not go together"};
  }
  if (!latest && name.empty()) {
    return Failure{125, "a container has to be named\n  hint: or --latest"};
  }
  return latest ? latest_container(root) : Outcome<std::string>(name);
}

Outcome<std::vector<std::string>> chosen_containers(
    const std::string& root, const ContainerChoice& choice,
    const std::function<bool(const Container& container)>& wanted) {
  const int ways = (choice.names.empty() ? 0 : 1) + (choice.all ? 1 : 0) + (choice.latest ? 1 : 0);
  const char* const others = wanted ? "--all or --latest" : "--latest";
  if (ways != 1) {
    return Failure{125, ways == 0 ? std::string("a container has to be named\n  hint: or ") + others
                                  : std::string("names of containers do not go together with ") +
                                        others + ", nor these with each other"};
  }
  if (!choice.names.empty()) {
    return choice.names;
  }
  if (choice.latest) {
    const Outcome<std::string> latest = latest_container(root);
    return latest ? Outcome<std::vector<std::string>>({latest.value()}) : latest.failure();
  }
  const Outcome<std::vector<Container>> list = containers(root);
  if (!list) {
    return list.failure();
  }
  std::vector<std::string> out;
  for (const Container& one : list.value()) {
    if (wanted(one)) {
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
  ContainerChoice choice;
  std::optional<std::string> time;
  line.value("-t,--time", time, "SECONDS",
             "How long to wait before SIGKILL (default: as the container was made, else 10; "
             "negative: for ever)");
  line.flag("-a,--all", choice.all, "All that run");
  add_choice(line, choice);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (time && !(out.seconds = read_seconds(*time))) {
    return refuse("--time '" + *time + "' is no number of seconds");
  }
  const auto chosen = chosen_containers(root, choice, is_running);
  if (!chosen) {
    return complain(chosen.failure());
  }
  out.names = chosen.value();
  return out;
}

}  // namespace sbx::cli
