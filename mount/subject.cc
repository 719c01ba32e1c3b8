#include "mount/subject.h"

namespace amphora::mount {
namespace {

thread_local Subject t_subject;

}  // namespace

const Subject& SubjectOfThread() { return t_subject; }

SubjectScope::SubjectScope(Subject subject) : before_(t_subject) { t_subject = subject; }
SubjectScope::~SubjectScope() { t_subject = before_; }

}  // namespace amphora::mount
