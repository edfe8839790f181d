#include "copy/rebase.hpp"

namespace sbx::copy {
namespace {

std::string joined(std::string_view parent, std::string_view rest) {
  std::string out(parent);
  if (!out.empty() && !rest.empty()) {
    out += '/';
  }
  return out.append(rest);
}

}  // namespace

std::string rebased(const Rebase& rule, std::string_view path) {
  if (rule.from.empty()) {
    return joined(rule.to, path);
  }
  if (path == rule.from) {
    return rule.to;
  }
  if (path.starts_with(rule.from) && path[rule.from.size()] == '/') {
    return joined(rule.to, path.substr(rule.from.size() + 1));
  }
  return std::string(path);
}

}  // namespace sbx::copy
