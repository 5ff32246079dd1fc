export default (component) => mount(component, ".orrery-sphere", SphereView);
