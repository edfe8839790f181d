#include <algorithm>
#include <cstdio>

#include <sbx/doctor.hpp>

#include "cli/command_line.hpp"
#include "cli/render.hpp"
#include "cli/verbs.hpp"

namespace sbx::cli {
namespace {

void print_findings(const std::vector<Finding>& findings) {
  std::size_t width = 0;
  for (const Finding& finding : findings) {
    width = std::max(width, finding.title.size());
  }
  for (const Finding& finding : findings) {
    std::printf("%-8s  %-*s  %s\n", to_string(finding.status).c_str(), static_cast<int>(width),
                finding.title.c_str(), finding.found.c_str());
    if (!finding.consequence.empty()) {
      std::printf("          then: %s\n", finding.consequence.c_str());
    }
    if (!finding.remedy.empty()) {
      std::printf("          mend: %s\n", finding.remedy.c_str());
    }
  }
}

bool stops_everything(const Finding& finding) {
  return finding.essential && finding.status == Finding::Status::kMissing;
}

}  // namespace

int cmd_doctor(const GlobalOptions& global, const Words& words) {
  bool json = false;
  CommandLine line("doctor",
                   "Try what sandboxes need, and tell what is missing and how to mend it.");
  line.choice(
      "--format", {"table", "json"}, [&](std::size_t index) { json = index == 1; },
      "Form of the output");
  if (const std::optional<int> code = line.parse(words)) {
    return *code;
  }
  const Outcome<std::vector<Finding>> findings = doctor({global.root});
  if (!findings) {
    return complain(findings.failure());
  }
  if (json) {
    std::printf("%s\n", to_json(findings.value()).c_str());
  } else {
    print_findings(findings.value());
  }
  return std::any_of(findings.value().begin(), findings.value().end(), stops_everything) ? 1 : 0;
}

}  // namespace sbx::cli
