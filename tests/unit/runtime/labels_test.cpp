#include "runtime/labels.hpp"

#include <catch2/catch.hpp>

using sbx::ErrorCode;
using sbx::runtime::build_labels;
using Labels = std::map<std::string, std::string>;

TEST_CASE("labels of the request go over those of the image") {
  sbx::runtime::RunRequest request;
  request.labels = {"b=2=3", "c", "b=4"};
  CHECK(build_labels(request, {{"a", "image"}, {"b", "image"}}).value() ==
        Labels{{"a", "image"}, {"b", "4"}, {"c", ""}});
}

TEST_CASE("labels without a name, or too many of them, are refused") {
  sbx::runtime::RunRequest request;
  request.labels = {"=1"};
  CHECK(build_labels(request, {}).error().code == ErrorCode::kInvalidArgument);
  request.labels = {"a=" + std::string(300'000, 'x')};
  CHECK(build_labels(request, {}).error().code == ErrorCode::kLimit);
  request.labels.clear();
  request.label_files = {"/nowhere"};
  CHECK(build_labels(request, {}).error().code == ErrorCode::kNotFound);
}
