#include <charconv>
#include <cstdio>

#include <sbx/container.hpp>

#include "cli/command_line.hpp"
#include "cli/each_container.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

/// "all" or a number. False if it is neither.
bool read_tail(const std::string& text, LogsRequest& request) {
  if (text == "all") {
    return true;
  }
  std::uint64_t lines = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), lines);
  request.tail = lines;
  return error == std::errc() && end == text.data() + text.size();
}

/// False if nobody reads it.
bool print_line(const LogLine& line, bool timestamps) {
  std::FILE* const out = line.error ? stderr : stdout;
  if (line.error) {
    (void)std::fflush(stdout);  // in the order in which it was written
  }
  if (timestamps) {
    (void)std::fprintf(out, "%s ", line.time.c_str());
  }
  (void)std::fwrite(line.text.data(), 1, line.text.size(), out);
  return std::ferror(out) == 0;
}

}  // namespace

int cmd_logs(const GlobalOptions& global, const Words& words) {
  LogsRequest request;
  request.root = global.root;
  std::string tail = "all";
  bool timestamps = false;
  bool latest = false;
  CommandLine line("logs", "Print what a container in the background has written.");
  line.flag("-f,--follow", request.follow, "Go on until the container ends");
  line.value("-n,--tail", tail, "NUMBER|all", "Begin with that many of the last lines");
  line.value("--since", request.since, "TIME",
             "Nothing older: 2026-01-02T03:04:05Z, seconds since 1970, or 10m for ten minutes ago");
  line.value("--until", request.until, "TIME", "Nothing newer");
  line.flag("-t,--timestamps", timestamps, "Begin each line with the time it was written at");
  line.flag("-l,--latest", latest, "The container that was made last");
  line.argument("CONTAINER", request.container, "Name or id", false);
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  if (!read_tail(tail, request)) {
    return refuse("--tail '" + tail + "' is neither a number of lines nor 'all'");
  }
  const Outcome<std::string> chosen = chosen_container(global.root, request.container, latest);
  if (!chosen) {
    return complain(chosen.failure());
  }
  request.container = chosen.value();
  const Outcome<std::monostate> read = read_logs(request, [&](const LogLine& one) {
    const bool more = print_line(one, timestamps);
    return more && (!request.follow || std::fflush(stdout) == 0);
  });
  return read ? 0 : complain(read.failure());
}

}  // namespace sbx::cli
