// Lets the browser answer touches before the next step.
module.exports = () => window.scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve));
