#include "image/checker.hpp"
#include "store/store.hpp"
#include "transfer/confine.hpp"
#include "transfer/verbs.hpp"

namespace sbx::transfer {
namespace {

// The parent takes an answer of at most 1 MiB.
constexpr std::size_t kMaxProblems = 1000;

}  // namespace

Result<Json> check(Words words) {
  const CheckOptions options = SBX_TRY(CheckOptions::parse(words));
  const store::Store store =
      SBX_TRY(store::Store::open(options.root + "/store", store::Store::Access::kWrite));
  const int reach = store.dir();
  SBX_TRY(confine(std::span(&reach, 1), {}));
  const image::CheckReport report = SBX_TRY(
      image::check_store(options.root, options.repair ? image::Repair::kYes : image::Repair::kNo));
  Json problems = Json::array();
  std::size_t left = 0;  // not repaired, those that are not listed included
  for (const image::Problem& problem : report.problems) {
    left += problem.action.empty() ? 1U : 0U;
    if (problems.size() < kMaxProblems) {
      problems.push_back({{"kind", problem.kind},
                          {"subject", printable(problem.subject)},
                          {"text", printable(problem.text)},
                          {"action", problem.action}});
    }
  }
  return Json{{"images", report.images},         {"blobs", report.blobs},
              {"bytes", report.bytes},           {"trees", report.trees},
              {"found", report.problems.size()}, {"left", left},
              {"problems", std::move(problems)}};
}

}  // namespace sbx::transfer
