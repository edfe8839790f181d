#include "oci/reference.hpp"

#include <algorithm>

namespace sbx::oci {
namespace {

constexpr std::string_view kDefaultDomain = "docker.io";
constexpr std::string_view kOldDefaultDomain = "index.docker.io";
constexpr std::string_view kOfficial = "library/";
constexpr std::size_t kMaxRepository = 255;
constexpr std::size_t kMaxTag = 128;
constexpr std::size_t kMaxReference = 512;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_lower(c) || is_upper(c) || is_digit(c) || c == '_'; }

Unexpected<Error> refuse(std::string_view text, std::string reason) {
  return fail(Error::make(ErrorCode::kInvalidArgument, "read image name", text, std::move(reason)));
}

/// [a-z0-9]+ with '.', '_', '__' or any number of '-' between.
bool valid_path_component(std::string_view text) {
  std::size_t i = 0;
  const auto take_word = [&] {
    const std::size_t start = i;
    while (i < text.size() && (is_lower(text[i]) || is_digit(text[i]))) {
      ++i;
    }
    return i > start;
  };
  const auto take_separator = [&] {
    if (text[i] == '-') {
      i = std::min(text.find_first_not_of('-', i), text.size());
    } else if (text.substr(i).starts_with("__")) {
      i += 2;
    } else if (text[i] == '.' || text[i] == '_') {
      ++i;
    }
  };
  if (!take_word()) {
    return false;
  }
  while (i < text.size()) {
    take_separator();
    if (!take_word()) {
      return false;
    }
  }
  return true;
}

bool valid_path(std::string_view path) {
  for (;;) {
    const std::size_t slash = path.find('/');
    if (!valid_path_component(path.substr(0, slash))) {
      return false;
    }
    if (slash == std::string_view::npos) {
      return true;
    }
    path.remove_prefix(slash + 1);
  }
}

bool valid_host_label(std::string_view label) {
  const auto alnum = [](char c) { return is_lower(c) || is_upper(c) || is_digit(c); };
  return !label.empty() && alnum(label.front()) && alnum(label.back()) &&
         std::all_of(label.begin(), label.end(), [&](char c) { return alnum(c) || c == '-'; });
}

bool valid_ipv6(std::string_view host) {
  return host.size() > 2 && host.front() == '[' && host.back() == ']' &&
         std::all_of(host.begin() + 1, host.end() - 1, [](char c) {
           return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':';
         });
}

bool valid_domain(std::string_view domain) {
  const std::size_t bracket = domain.find(']');
  const std::size_t colon = domain.find(':', bracket == std::string_view::npos ? 0 : bracket);
  std::string_view host = domain.substr(0, colon);
  if (colon != std::string_view::npos) {
    const std::string_view port = domain.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit)) {
      return false;
    }
  }
  if (host.starts_with('[')) {
    return valid_ipv6(host);
  }
  for (;;) {
    const std::size_t dot = host.find('.');
    if (!valid_host_label(host.substr(0, dot))) {
      return false;
    }
    if (dot == std::string_view::npos) {
      return true;
    }
    host.remove_prefix(dot + 1);
  }
}

bool valid_tag(std::string_view tag) {
  return !tag.empty() && tag.size() <= kMaxTag && is_word(tag.front()) &&
         std::all_of(tag.begin(), tag.end(),
                     [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

/// Whether the part before the first '/' names a registry: docker's rule.
bool looks_like_domain(std::string_view part) {
  return part.find_first_of(".:") != std::string_view::npos || part == "localhost" ||
         std::any_of(part.begin(), part.end(), is_upper);
}

}  // namespace

Result<Reference> Reference::parse(std::string_view text) {
  if (text.empty() || text.size() > kMaxReference) {
    return refuse(text, text.empty() ? "it is empty" : "it is too long");
  }
  if (parse_digest_hex(text)) {
    return refuse(text, "64 hexadecimal digits are an image id, not a name");
  }
  Reference out;
  std::string_view rest = text;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    out.digest_ = SBX_TRY(Digest::parse(rest.substr(at + 1)));
    rest = rest.substr(0, at);
  }
  const std::size_t last_slash = rest.rfind('/');
  const std::size_t colon = rest.find(':', last_slash == std::string_view::npos ? 0 : last_slash);
  if (colon != std::string_view::npos) {
    out.tag_ = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (!valid_tag(out.tag_)) {
      return refuse(text, "its tag must have 1 to 128 letters, digits, '_', '.' and '-'");
    }
  }
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos && looks_like_domain(rest.substr(0, slash))) {
    out.domain_ = rest.substr(0, slash);
    rest = rest.substr(slash + 1);
  }
  if (!out.domain_.empty() && !valid_domain(out.domain_)) {
    return refuse(text, "what stands before the first '/' is not a host name");
  }
  if (out.domain_.empty() || out.domain_ == kOldDefaultDomain) {
    out.domain_ = kDefaultDomain;
  }
  out.path_ = rest;
  if (!valid_path(out.path_)) {
    return refuse(
        text, "a name has lower-case letters and digits, with single '.', '_', '/' or '-' between");
  }
  if (out.domain_ == kDefaultDomain && out.path_.find('/') == std::string::npos) {
    out.path_.insert(0, kOfficial);
  }
  if (out.repository().size() > kMaxRepository) {
    return refuse(text, "the name is longer than 255 bytes");
  }
  if (out.tag_.empty() && !out.digest_) {
    out.tag_ = "latest";
  }
  return out;
}

std::string Reference::tagged() const {
  return tag_.empty() ? repository() : repository() + ":" + tag_;
}

std::string Reference::str() const { return digest_ ? tagged() + "@" + digest_->str() : tagged(); }

std::string Reference::familiar() const {
  std::string out = str();
  if (domain_ == kDefaultDomain) {
    out.erase(0, kDefaultDomain.size() + 1);
    if (out.starts_with(kOfficial) && path_.find('/', kOfficial.size()) == std::string::npos) {
      out.erase(0, kOfficial.size());
    }
  }
  return out;
}

}  // namespace sbx::oci
