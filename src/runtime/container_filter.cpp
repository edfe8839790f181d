#include "runtime/container_filter.hpp"

#include <regex.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/rfc3339.hpp"
#include "image/image_filter.hpp"

namespace sbx::runtime {
namespace {

constexpr std::array<std::string_view, 7> kStatusWords{
    "created", "restarting", "running", "removing", "paused", "exited", "dead"};
constexpr std::array<std::string_view, 4> kHealthWords{"none", "starting", "healthy", "unhealthy"};
// More is no pattern for names; regcomp(3) takes memory by the square of some.
constexpr std::size_t kMaxPattern = 256;

Error refused(std::string_view word, std::string reason) {
  return Error::make(ErrorCode::kInvalidArgument, "filter containers by", word, std::move(reason));
}

/// Whether the pattern matches; nullopt if it is none.
std::optional<bool> matches_pattern(const std::string& pattern, const std::string& name) {
  regex_t compiled;
  if (pattern.size() > kMaxPattern ||
      ::regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0) {
    return std::nullopt;
  }
  // Docker's names begin with a slash, and people write it.
  const std::string slashed = "/" + name;
  const bool found = ::regexec(&compiled, name.c_str(), 0, nullptr, 0) == 0 ||
                     ::regexec(&compiled, slashed.c_str(), 0, nullptr, 0) == 0;
  ::regfree(&compiled);
  return found;
}

template <std::size_t N>
std::string one_of(const std::array<std::string_view, N>& words) {
  std::string out = "it is one of";
  for (const std::string_view word : words) {
    out += (word == words.front() ? " " : ", ") + std::string(word);
  }
  return out;
}

/// Why a value makes no sense for its key; empty: it does.
std::string wrong_value(std::string_view key, const std::string& value) {
  const auto among = [&](const auto& words) {
    return std::find(words.begin(), words.end(), value) != words.end() ? "" : one_of(words);
  };
  if (key == "status") {
    return among(kStatusWords);
  }
  if (key == "health") {
    return among(kHealthWords);
  }
  if (key == "exited") {
    const bool number =
        !value.empty() && value.size() < 5 &&
        std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    return number ? "" : "it should be an exit code";
  }
  return key == "name" && !matches_pattern(value, "") ? "it is no regular expression" : "";
}

}  // namespace

Result<void> ContainerFilter::add_time(const std::string& key, const std::string& value) {
  if (key == "until") {
    until_ = std::min(until_, SBX_TRY(image::parse_until(value, facts_->now)));
    return {};
  }
  const std::string time = SBX_TRY(facts_->created(value));
  if (key == "before") {
    before_ = before_.empty() ? time : std::min(before_, time);
  } else {
    since_ = std::max(since_, time);
  }
  return {};
}

Result<void> ContainerFilter::add(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) {
    return fail(refused(word, "it should be KEY=VALUE"));
  }
  const std::string key(word.substr(0, equals));
  const std::string value(word.substr(equals + 1));
  if (key == "label" || key == "label!") {
    const std::size_t between = value.find('=');
    const bool any = between == std::string::npos;
    labels_.push_back(
        {value.substr(0, between), any ? "" : value.substr(between + 1), any, key == "label"});
    return {};
  }
  if (key == "before" || key == "since" || key == "until") {
    return add_time(key, value);
  }
  constexpr std::array<std::string_view, 7> kKeys{"id",       "name",   "status", "exited",
                                                  "ancestor", "volume", "health"};
  if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
    return fail(refused(word, "there is no such filter")
                    .with_hint("id, name, label, exited, status, ancestor, before, since, until, "
                               "volume and health are there"));
  }
  if (const std::string wrong = wrong_value(key, value); !wrong.empty()) {
    return fail(refused(word, wrong));
  }
  if (key == "ancestor") {
    ancestors_.merge(SBX_TRY(facts_->images(value)));
  }
  values_[key].push_back(value);
  return {};
}

Result<ContainerFilter> ContainerFilter::parse(const std::vector<std::string>& words,
                                               const FilterFacts& facts) {
  ContainerFilter out(facts);
  for (const std::string_view word : words) {
    SBX_TRY(out.add(word));
  }
  return out;
}

bool ContainerFilter::matches(const Container& container, const std::string& key,
                              const std::string& value) const {
  const ContainerState& state = container.state;
  if (key == "id") {
    return state.id.starts_with(value);
  }
  if (key == "name") {
    return matches_pattern(value, state.name).value_or(false);
  }
  if (key == "status") {
    return status_word(container) == value;
  }
  if (key == "exited") {
    return state.status == ContainerStatus::kExited && std::to_string(state.exit_code) == value;
  }
  if (key == "ancestor") {
    return state.image == value || (!state.image_id.empty() && ancestors_.count(state.image_id));
  }
  if (key == "health") {
    const std::string health = facts_->health(container);
    return value == (health.empty() ? "none" : health);
  }
  return facts_->mounts(state.id).count(value) != 0;
}

bool ContainerFilter::accepts(const Container& container) const {
  const ContainerState& state = container.state;
  const bool in_time =
      (before_.empty() || state.created < before_) && (since_.empty() || state.created > since_) &&
      (until_ == INT64_MAX || parse_rfc3339(state.created).value_or(INT64_MAX) < until_);
  const auto has_label = [&](const Label& label) {
    const auto it = state.labels.find(label.name);
    const bool there = it != state.labels.end() && (label.any_value || it->second == label.value);
    return there == label.wanted;
  };
  return in_time && std::all_of(labels_.begin(), labels_.end(), has_label) &&
         std::all_of(values_.begin(), values_.end(), [&](const auto& rule) {
           return std::any_of(
               rule.second.begin(), rule.second.end(),
               [&](const std::string& value) { return matches(container, rule.first, value); });
         });
}

}  // namespace sbx::runtime
