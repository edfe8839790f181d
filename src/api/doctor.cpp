#include <algorithm>

#include <sbx/doctor.hpp>

#include "api/failure.hpp"
#include "base/json.hpp"
#include "net/slirp_stack.hpp"
#include "runtime/settings.hpp"
#include "sys/probe.hpp"

namespace sbx {
namespace {

Finding::Status to_status(sys::FactStatus status) {
  switch (status) {
    case sys::FactStatus::kOk:
      return Finding::Status::kOk;
    case sys::FactStatus::kDegraded:
      return Finding::Status::kDegraded;
    case sys::FactStatus::kMissing:
      return Finding::Status::kMissing;
  }
  return Finding::Status::kMissing;
}

Finding to_finding(const sys::Fact& fact) {
  return {fact.id,          fact.title,  to_status(fact.status), fact.found,
          fact.consequence, fact.remedy, fact.essential};
}

Finding libslirp_finding() {
  const Result<net::SlirpVersion> version = net::slirp_version();
  Finding finding{"libslirp", "libslirp", Finding::Status::kOk, "", "", "", false};
  finding.found = version ? version->text : version.error().message();
  if (!version || !version->supported) {
    finding.status = Finding::Status::kMissing;
    finding.consequence = "no network of its own for a sandbox: --net host and --net none only";
    finding.remedy = "install libslirp 4.7 or later (Debian: apt-get install libslirp0)";
  } else if (version->has_known_faults) {
    finding.found += " (its known faults are kept out of reach by a filter in front of it)";
  }
  return finding;
}

/// What is in force of sbx.conf(5) and $SBX_IMAGE_STORES.
Finding configuration_finding() {
  Finding finding{"config", "configuration", Finding::Status::kOk, "", "", "", false};
  const Result<runtime::Settings> settings = runtime::load_settings();
  if (!settings) {
    finding.status = Finding::Status::kDegraded;
    finding.found = settings.error().message();
    finding.found.resize(std::min(finding.found.find('\n'), finding.found.size()));
    finding.consequence = "run and shell refuse to start, and so do the verbs of images";
    finding.remedy = "correct the file; sbx.conf(5) tells the keys and their values";
    return finding;
  }
  for (const std::string& file : settings->files) {
    finding.found += (finding.found.empty() ? "" : " over ") + file;
  }
  if (finding.found.empty()) {
    finding.found = "no sbx.conf: the defaults";
  }
  for (const std::string& store : settings->image_stores) {
    finding.found += ", images also from " + store;
  }
  return finding;
}

}  // namespace

Outcome<std::vector<Finding>> doctor(const DoctorRequest& request) {
  sys::ProbeRequest probe;
  probe.who = sys::invoker();
  probe.data_root = request.root;
  if (probe.data_root.empty()) {
    Result<std::string> root = sys::data_root(probe.who);
    if (!root) {
      return api::to_failure(root.error());
    }
    probe.data_root = std::move(root).value();
  }
  std::vector<Finding> findings;
  for (const sys::Fact& fact : sys::probe_host(probe)) {
    findings.push_back(to_finding(fact));
    if (fact.id == "net") {
      findings.push_back(libslirp_finding());
    }
  }
  findings.push_back(configuration_finding());
  return findings;
}

std::string to_string(Finding::Status status) {
  switch (status) {
    case Finding::Status::kOk:
      return "ok";
    case Finding::Status::kDegraded:
      return "degraded";
    case Finding::Status::kMissing:
      return "missing";
  }
  return "";
}

std::string to_json(const std::vector<Finding>& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"id", finding.id},
                    {"title", finding.title},
                    {"status", to_string(finding.status)},
                    {"found", finding.found},
                    {"consequence", finding.consequence},
                    {"remedy", finding.remedy},
                    {"essential", finding.essential}});
  }
  return dump_json(list, 2);
}

}  // namespace sbx
