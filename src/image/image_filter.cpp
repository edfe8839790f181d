#include "image/image_filter.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/rfc3339.hpp"
#include "oci/reference.hpp"

namespace sbx::image {
namespace {

Unexpected<Error> refuse(std::string_view word, std::string reason) {
  return fail(
      Error::make(ErrorCode::kInvalidArgument, "filter images by", word, std::move(reason)));
}

Result<bool> parse_bool(std::string_view text) {
  if (text == "true" || text == "1") {
    return true;
  }
  return text == "false" || text == "0" ? Result<bool>(false)
                                        : refuse(text, "it should be true or false");
}

bool glob(const std::string& pattern, const std::string& text) {
  return ::fnmatch(pattern.c_str(), text.c_str(), FNM_PATHNAME) == 0;
}

/// The seconds of "1h30m"; nullopt if it is no duration.
std::optional<std::int64_t> parse_duration(std::string_view text) {
  std::int64_t out = 0;
  while (!text.empty()) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || count < 0 || count > 1'000'000'000 ||
        end == text.data() + text.size()) {
      return std::nullopt;
    }
    const std::int64_t unit = *end == 'h' ? 3600 : *end == 'm' ? 60 : *end == 's' ? 1 : 0;
    if (unit == 0) {
      return std::nullopt;
    }
    out += count * unit;
    text.remove_prefix(static_cast<std::size_t>(end + 1 - text.data()));
  }
  return out;
}

}  // namespace

std::int64_t created_at(const StoredImage& image) {
  return parse_rfc3339(image.config.created).value_or(std::numeric_limits<std::int64_t>::min());
}

Result<std::int64_t> parse_until(std::string_view text, std::int64_t now) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size() && seconds >= 0) {
    return seconds;
  }
  if (const std::optional<std::int64_t> time = parse_rfc3339(text)) {
    return *time;
  }
  if (const std::optional<std::int64_t> age = parse_duration(text); age && !text.empty()) {
    return now - *age;
  }
  return refuse(text, "it is neither a duration (36h) nor a time (2024-01-02T03:04:05Z)");
}

Result<void> ImageFilter::add(std::string_view key, std::string_view value, const ImageStore& store,
                              std::int64_t now) {
  if (key == "reference") {
    references_.emplace_back(value);
  } else if (key == "dangling") {
    dangling_ = SBX_TRY(parse_bool(value));
  } else if (key == "readonly") {
    read_only_ = SBX_TRY(parse_bool(value));
  } else if (key == "label" || key == "label!") {
    const std::size_t equals = value.find('=');
    Label label{std::string(value.substr(0, equals)), {}, key == "label"};
    if (equals != std::string_view::npos) {
      label.value = value.substr(equals + 1);
    }
    labels_.push_back(std::move(label));
  } else if (key == "before" || key == "until") {
    const std::int64_t time =
        key == "before" ? created_at(SBX_TRY(store.find(value))) : SBX_TRY(parse_until(value, now));
    before_ = std::min(before_.value_or(time), time);
  } else if (key == "since") {
    const std::int64_t time = created_at(SBX_TRY(store.find(value)));
    since_ = std::max(since_.value_or(time), time);
  } else {
    return refuse(key,
                  "there is no such filter; there are reference, dangling, label, before, "
                  "since, until and readonly");
  }
  return {};
}

Result<ImageFilter> ImageFilter::parse(const std::vector<std::string>& words,
                                       const ImageStore& store, std::int64_t now) {
  ImageFilter out;
  for (const std::string_view word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return refuse(word, "it should be KEY=VALUE");
    }
    SBX_TRY(out.add(word.substr(0, equals), word.substr(equals + 1), store, now));
  }
  return out;
}

bool ImageFilter::shows(std::string_view name) const {
  const Result<oci::Reference> reference = oci::Reference::parse(name);
  return references_.empty() ||
         std::any_of(references_.begin(), references_.end(), [&](const std::string& pattern) {
           if (glob(pattern, std::string(name))) {
             return true;
           }
           if (!reference) {
             return false;
           }
           const std::string familiar = reference->familiar();
           return glob(pattern, familiar) || glob(pattern, reference->repository()) ||
                  glob(pattern, familiar.substr(0, familiar.rfind(':')));
         });
}

bool ImageFilter::accepts_time(const StoredImage& image) const {
  const std::int64_t created = created_at(image);
  return (!before_ || created < *before_) && (!since_ || created > *since_);
}

bool ImageFilter::accepts(const StoredImage& image) const {
  if ((dangling_ && *dangling_ != image.names.empty()) ||
      (read_only_ && *read_only_ != image.read_only) || !accepts_time(image)) {
    return false;
  }
  const auto fits = [&](const Label& label) {
    const auto it = image.config.labels.find(label.name);
    const bool there =
        it != image.config.labels.end() && (!label.value || *label.value == it->second);
    return there == label.wanted;
  };
  if (!std::all_of(labels_.begin(), labels_.end(), fits)) {
    return false;
  }
  return references_.empty() || std::any_of(image.names.begin(), image.names.end(),
                                            [&](const std::string& name) { return shows(name); });
}

}  // namespace sbx::image
