#include "cli/render.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace sbx::cli {

int complain(const Failure& failure) {
  std::fprintf(stderr, "sbx: %s\n", failure.message.c_str());
  return failure.exit_code;
}

int refuse(const std::string& message) { return complain({125, message}); }

namespace {

/// Columns that UTF-8 text takes on a terminal, as long as no character is wide.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    constexpr unsigned kContinuation = 0x80;
    return (static_cast<unsigned char>(c) & 0xc0U) != kContinuation;
  }));
}

}  // namespace

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) {
        line.append(widths[i] - width_of(row[i]) + 3, ' ');
      }
    }
    std::printf("%s\n", line.c_str());
  }
}

std::string human_size(unsigned long long bytes) {
  constexpr std::array<const char*, 6> kUnits{"B", "kB", "MB", "GB", "TB", "PB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(),
                value >= 100 || unit == 0 ? "%.0f%s"
                : value >= 10             ? "%.1f%s"
                                          : "%.2f%s",
                value, kUnits.at(unit));
  return text.data();
}

std::string human_age(const std::string& created) {
  std::tm parts{};
  if (::strptime(created.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) {
    return {};
  }
  const double seconds = std::max(0.0, std::difftime(std::time(nullptr), ::timegm(&parts)));
  struct Unit {
    double length;
    const char* name;
  };
  constexpr std::array<Unit, 6> kUnits{{{31536000, "year"},
                                        {2592000, "month"},
                                        {604800, "week"},
                                        {86400, "day"},
                                        {3600, "hour"},
                                        {60, "minute"}}};
  for (const Unit& unit : kUnits) {
    const auto count = static_cast<long long>(seconds / unit.length);
    if (count >= 1) {
      return std::to_string(count) + " " + unit.name + (count == 1 ? "" : "s") + " ago";
    }
  }
  return "less than a minute ago";
}

}  // namespace sbx::cli
