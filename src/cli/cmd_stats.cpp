#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <thread>

#include <sbx/container.hpp>

#include "cli/command_line.hpp"
#include "cli/each_container.hpp"
#include "cli/format_template.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

// How long the first look lasts: a share of the processors is what was used in between.
constexpr std::chrono::milliseconds kFirstLook{500};

struct StatsOptions {
  std::string root;
  ContainerChoice choice;
  std::string format;
  bool no_trunc = false;
  bool no_reset = false;
};

using Uses = std::map<std::string, ContainerResources>;  // by id

/// "12.3MiB", as docker writes memory: powers of 1024, four digits.
std::string binary_size(std::uint64_t bytes) {
  constexpr std::array<const char*, 6> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g%s", value, kUnits.at(unit));
  return text.data();
}

std::string percent(double share) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f%%", share);
  return text.data();
}

/// Percent of one processor between two looks.
double cpu_share(const ContainerResources& before, const ContainerResources& now) {
  if (now.at_ns <= before.at_ns || now.cpu_ns <= before.cpu_ns) {
    return 0;
  }
  return static_cast<double>(now.cpu_ns - before.cpu_ns) * 100 /
         static_cast<double>(now.at_ns - before.at_ns);
}

Row row_of(const ContainerResources& before, const ContainerResources& now, bool no_trunc) {
  const double memory = now.memory_limit == 0 ? 0
                                              : static_cast<double>(now.memory) * 100 /
                                                    static_cast<double>(now.memory_limit);
  return {{"ID", no_trunc ? now.id : now.id.substr(0, 12)},
          {"Container", no_trunc ? now.id : now.id.substr(0, 12)},
          {"Name", now.name},
          {"CPUPerc", percent(cpu_share(before, now))},
          {"MemUsage", binary_size(now.memory) + " / " + binary_size(now.memory_limit)},
          {"MemPerc", percent(memory)},
          {"NetIO", human_size(now.network_in) + " / " + human_size(now.network_out)},
          {"BlockIO", human_size(now.block_in) + " / " + human_size(now.block_out)},
          {"PIDs", std::to_string(now.threads)}};
}

Outcome<Uses> look(const StatsOptions& options) {
  Uses out;
  std::vector<std::string> names = options.choice.names;
  if (options.choice.latest) {
    const Outcome<std::string> latest = latest_container(options.root);
    if (!latest) {
      return latest.failure();
    }
    names = {latest.value()};
  }
  const bool some = !names.empty();
  if (!some) {
    const Outcome<std::vector<Container>> list = containers(options.root);
    if (!list) {
      return list.failure();
    }
    for (const Container& one : list.value()) {
      if (options.choice.all || is_running(one)) {
        names.push_back(one.id);
      }
    }
  }
  for (const std::string& name : names) {
    const Outcome<ContainerResources> one = container_resources(options.root, name);
    if (one) {
      out.emplace(one.value().id, one.value());
    } else if (some) {
      return one.failure();
    }  // else it was removed just now
  }
  return out;
}

int print(const StatsOptions& options, const Uses& before, const Uses& now) {
  std::vector<Row> rows;
  for (const auto& [id, use] : now) {
    const auto known = before.find(id);
    rows.push_back(row_of(known == before.end() ? use : known->second, use, options.no_trunc));
  }
  const Columns columns{
      {{"ID", "CONTAINER ID"},
       {"Container", "CONTAINER"},
       {"Name", "NAME"},
       {"CPUPerc", "CPU %"},
       {"MemUsage", "MEM USAGE / LIMIT"},
       {"MemPerc", "MEM %"},
       {"NetIO", "NET I/O"},
       {"BlockIO", "BLOCK I/O"},
       {"PIDs", "PIDS"}},
      {"ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"}};
  return print_rows(options.format == "json" ? "{{json .}}" : options.format, columns, rows);
}

/// Looks again and again, each time after `pause`; an exit code once something goes wrong.
int stream(const StatsOptions& options, Uses before, std::chrono::seconds pause) {
  const bool reset = !options.no_reset && ::isatty(STDOUT_FILENO) == 1 &&
                     (options.format.empty() || options.format.starts_with("table"));
  std::this_thread::sleep_for(kFirstLook);
  for (;;) {
    const Outcome<Uses> now = look(options);
    if (!now) {
      return complain(now.failure());
    }
    if (reset) {
      std::fputs("\033[H\033[2J", stdout);
    }
    if (const int code = print(options, before, now.value()); code != 0) {
      return code;
    }
    if (std::fflush(stdout) != 0) {
      return 0;  // nobody reads it any more
    }
    before = now.value();
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

int cmd_stats(const GlobalOptions& global, const Words& words) {
  StatsOptions options{.root = global.root};
  std::string interval = "1";
  bool once = false;
  CommandLine line("stats", "Show what containers use: processors, memory, network, disks.");
  line.flag("-a,--all", options.choice.all, "Also those that do not run");
  line.flag("--no-stream", once, "Look once, not again and again");
  line.flag("--no-reset", options.no_reset, "Do not clear the terminal in between");
  line.flag("--no-trunc", options.no_trunc, "Do not shorten ids");
  line.value("-i,--interval", interval, "SECONDS", "How long to wait in between (default: 1)");
  line.value("--format", options.format, "table|json|TEMPLATE",
             "How to print; TEMPLATE as '{{.Name}} {{.MemUsage}}'");
  add_choice(line, options.choice);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  const int ways = (options.choice.names.empty() ? 0 : 1) + (options.choice.all ? 1 : 0) +
                   (options.choice.latest ? 1 : 0);
  const std::optional<int> seconds = read_seconds(interval);
  if (ways > 1 || !seconds || *seconds < 1) {
    return refuse(ways > 1 ? "--all, --latest and names of containers do not go together"
                           : "--interval '" + interval + "' is no number of seconds");
  }
  const Outcome<Uses> first = look(options);
  if (!first) {
    return complain(first.failure());
  }
  if (!once) {
    return stream(options, first.value(), std::chrono::seconds(*seconds));
  }
  std::this_thread::sleep_for(kFirstLook);
  const Outcome<Uses> second = look(options);
  return second ? print(options, first.value(), second.value()) : complain(second.failure());
}

}  // namespace sbx::cli
