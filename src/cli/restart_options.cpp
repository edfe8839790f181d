#include "cli/restart_options.hpp"

#include <charconv>
#include <string_view>

namespace sbx::cli {

std::optional<RestartOptions> read_restart(const std::string& text) {
  constexpr std::string_view kOnFailure = "on-failure";
  if (text == "no") {
    return RestartOptions();
  }
  if (text == "always") {
    return RestartOptions{RestartPolicy::kAlways, 0};
  }
  if (text == "unless-stopped") {
    return RestartOptions{RestartPolicy::kUnlessStopped, 0};
  }
  if (!text.starts_with(kOnFailure)) {
    return std::nullopt;
  }
  RestartOptions out{RestartPolicy::kOnFailure, 0};
  const std::string_view rest = std::string_view(text).substr(kOnFailure.size());
  if (rest.empty()) {
    return out;
  }
  const char* const end = rest.data() + rest.size();
  const auto [stop, error] = std::from_chars(rest.data() + 1, end, out.most);
  const bool good = rest.front() == ':' && rest.size() > 1 && error == std::errc() && stop == end;
  return good ? std::optional(out) : std::nullopt;
}

}  // namespace sbx::cli
