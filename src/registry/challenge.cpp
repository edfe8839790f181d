#include "registry/challenge.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace sbx::registry {
namespace {

constexpr std::size_t kMaxHeader = 8192;
constexpr std::size_t kMaxChallenges = 8;
constexpr std::size_t kMaxParameters = 16;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// RFC 9110 5.6.2.
bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] std::size_t position() const { return at_; }
  void go_back(std::size_t position) { at_ = position; }

  void skip(std::string_view any_of) {
    while (!at_end() && any_of.find(text_[at_]) != std::string_view::npos) {
      ++at_;
    }
  }

  bool take(char c) {
    if (at_end() || text_[at_] != c) {
      return false;
    }
    ++at_;
    return true;
  }

  /// Lower case; empty if there is none.
  std::string token() {
    std::string out;
    while (!at_end() && is_token_char(text_[at_])) {
      out += lower(text_[at_++]);
    }
    return out;
  }

  std::optional<std::string> value() {
    std::string out;
    if (!take('"')) {
      // More than a token: some registries send the realm's address without quotes.
      while (!at_end() && text_[at_] != ',' && text_[at_] != ' ' && text_[at_] != '"') {
        out += text_[at_++];
      }
      return out.empty() ? std::nullopt : std::optional(out);
    }
    while (!at_end()) {
      char c = text_[at_++];
      if (c == '"') {
        return out;
      }
      if (c == '\\') {
        if (at_end()) {
          return std::nullopt;
        }
        c = text_[at_++];
      }
      out += c;
    }
    return std::nullopt;  // the quotes do not end
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

/// NAME=VALUE; false, and nothing taken, if what follows is another challenge's scheme. nullopt: malformed.
std::optional<bool> parameter(Scanner& in, Challenge& out) {
  const std::size_t before = in.position();
  const std::string name = in.token();
  in.skip(" \t");
  if (name.empty() || !in.take('=')) {
    in.go_back(before);
    return false;
  }
  in.skip(" \t");
  const std::optional<std::string> value = in.value();
  if (!value) {
    return std::nullopt;
  }
  for (const auto& [known, member] :
       {std::pair("realm", &out.realm), {"service", &out.service}, {"scope", &out.scope}}) {
    if (name == known && member->empty()) {
      *member = *value;
    }
  }
  return true;
}

/// False if the header is malformed from here on.
bool challenge(Scanner& in, Challenge& out) {
  out.scheme = in.token();
  if (out.scheme.empty()) {
    return false;
  }
  for (std::size_t count = 0; count <= kMaxParameters; ++count) {
    in.skip(" \t,");
    if (in.at_end()) {
      return true;
    }
    const std::optional<bool> taken = parameter(in, out);
    if (!taken) {
      return false;
    }
    if (!*taken) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::vector<Challenge> parse_challenges(std::string_view header) {
  std::vector<Challenge> found;
  if (header.size() > kMaxHeader) {
    return found;
  }
  Scanner in(header);
  in.skip(" \t,");
  while (!in.at_end() && found.size() < kMaxChallenges) {
    Challenge next;
    if (!challenge(in, next)) {
      break;
    }
    found.push_back(std::move(next));
    in.skip(" \t,");
  }
  return found;
}

const Challenge* choose_challenge(std::span<const Challenge> challenges) {
  const auto bearer = std::find_if(challenges.begin(), challenges.end(), [](const Challenge& c) {
    return c.scheme == "bearer" && !c.realm.empty();
  });
  if (bearer != challenges.end()) {
    return &*bearer;
  }
  const auto basic = std::find_if(challenges.begin(), challenges.end(),
                                  [](const Challenge& c) { return c.scheme == "basic"; });
  return basic != challenges.end() ? &*basic : nullptr;
}

}  // namespace sbx::registry
