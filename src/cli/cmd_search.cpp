#include <charconv>
#include <cstdio>

#include <sbx/registry.hpp>

#include "cli/command_line.hpp"
#include "cli/format_template.hpp"
#include "cli/json_text.hpp"
#include "cli/registry_options.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

constexpr std::size_t kMaxLimit = 100'000;

std::optional<std::size_t> read_limit(const std::string& text) {
  std::size_t limit = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, limit);
  return error == std::errc() && stop == end && limit > 0 && limit <= kMaxLimit
             ? std::optional(limit)
             : std::nullopt;
}

/// "is-official", "is-official=BOOL", "stars=N".
bool apply_filter(SearchResults& results, const std::string& filter) {
  const std::size_t equals = filter.find('=');
  const std::string key = filter.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : filter.substr(equals + 1);
  if (key == "is-official" && (value.empty() || value == "true" || value == "false")) {
    const bool wanted = value != "false";
    std::erase_if(results.found, [&](const SearchResult& one) { return one.official != wanted; });
    return true;
  }
  if (const std::optional<std::size_t> stars = read_limit(value); key == "stars" && stars) {
    std::erase_if(results.found, [&](const SearchResult& one) { return one.stars < *stars; });
    return true;
  }
  return false;
}

std::string shortened(const std::string& text, bool no_trunc) {
  constexpr std::size_t kShown = 44;  // as docker
  return no_trunc || text.size() <= kShown ? text : text.substr(0, kShown) + "...";
}

int print_results(const SearchResults& results, const std::string& format, bool no_trunc) {
  if (format == "json") {
    JsonText json;
    json.begin_array();
    for (const SearchResult& one : results.found) {
      json.begin_object();
      json.member("Index", one.registry);
      json.member("Name", one.name);
      json.member("Description", one.description);
      json.member("Stars", static_cast<std::uint64_t>(one.stars));
      json.member("Official", one.official);
      json.end_object();
    }
    json.end_array();
    std::printf("%s\n", json.text().c_str());
    return 0;
  }
  std::vector<Row> rows;
  for (const SearchResult& one : results.found) {
    rows.push_back({{"Index", one.registry},
                    {"Name", one.name},
                    {"Description", shortened(one.description, no_trunc)},
                    {"Stars", std::to_string(one.stars)},
                    {"Official", one.official ? "[OK]" : ""}});
  }
  const Columns columns{{{"Name", "NAME"},
                         {"Description", "DESCRIPTION"},
                         {"Stars", "STARS"},
                         {"Official", "OFFICIAL"},
                         {"Index", "INDEX"}},
                        {"Name", "Description", "Stars", "Official"}};
  return print_rows(format, columns, rows);
}

int print_tags(const TagList& list, const std::string& format) {
  if (format == "json") {
    JsonText json;
    json.begin_object();
    json.member("Name", list.name);
    json.member("Tags", list.tags);
    json.end_object();
    std::printf("%s\n", json.text().c_str());
    return 0;
  }
  std::vector<Row> rows;
  rows.reserve(list.tags.size());
  for (const std::string& tag : list.tags) {
    rows.push_back({{"Name", list.name}, {"Tag", tag}});
  }
  return print_rows(format, {{{"Name", "NAME"}, {"Tag", "TAG"}}, {"Name", "Tag"}}, rows);
}

void tell_of_more(bool complete) {
  if (!complete) {
    (void)std::fputs("There are more than were asked for; see --limit.\n", stderr);
  }
}

}  // namespace

int cmd_search(const GlobalOptions& /*global*/, const Words& words) {
  SearchOptions options;
  std::string limit = "25";
  std::string format;
  std::vector<std::string> filters;
  bool no_trunc = false;
  bool list_tags = false;
  CommandLine line("search", "Look for images in registries, or list the tags of one.");
  line.values("-f,--filter", filters, "KEY[=VALUE]", "is-official[=BOOL], stars=N");
  line.value("--format", format, "table|json|TEMPLATE", "How to print; TEMPLATE as '{{.Name}}'");
  line.value("--limit", limit, "N", "At most N results (default: 25; at most 100000)");
  line.flag("--list-tags", list_tags, "List the tags of the repository TERM");
  line.flag("--no-trunc", no_trunc, "Do not shorten descriptions");
  add_registry_options(line, options.registry);
  line.argument("TERM", options.term,
                "[REGISTRY/]TERM; without a registry those of "
                "registries.conf are asked, else docker.io");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  const std::optional<std::size_t> count = read_limit(limit);
  if (!count) {
    return refuse("--limit is a number from 1 to 100000, not '" + limit + "'");
  }
  options.limit = *count;
  if (list_tags) {
    if (!filters.empty()) {
      return refuse("--filter does not go with --list-tags");
    }
    const Outcome<TagList> list = tags(options);
    if (!list) {
      return complain(list.failure());
    }
    tell_of_more(list.value().complete);
    return print_tags(list.value(), format);
  }
  Outcome<SearchResults> results = search(options);
  if (!results) {
    return complain(results.failure());
  }
  SearchResults shown = results.value();
  for (const std::string& filter : filters) {
    if (!apply_filter(shown, filter)) {
      return refuse("no such filter: '" + filter +
                    "'\n  hint: is-official, is-official=true, is-official=false, stars=N");
    }
  }
  tell_of_more(shown.complete);
  return print_results(shown, format, no_trunc);
}

}  // namespace sbx::cli
